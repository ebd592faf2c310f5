/**
 * What modules have put into properties that others share. Several may have changed the same one, each on top of the
 * other; one that is purged takes its layer out, whatever its place.
 */
import type { ModuleEdges } from "../runtime/module-edges.js";
import { sharedDescriptor } from "./global-descriptor.js";
import type { Ledger } from "./ledger.js";

export type Descriptor = PropertyDescriptor | undefined;

interface Layer {
  readonly owner: ModuleEdges;
  /** Undefined: there was no such property. */
  before: Descriptor;
  after: Descriptor;
}

export interface PropertyChange {
  readonly owner: ModuleEdges;
  readonly target: object;
  readonly key: PropertyKey;
  readonly before: Descriptor;
  readonly after: Descriptor;
  /** For messages. */
  readonly what: string;
  /** Whether what the module has put there stays, asked at its purge. */
  readonly stays?: (() => boolean) | undefined;
  /** Whether a module may have been evaluated with it, of which no edge to the owner tells. */
  readonly mayHaveUsed?: MayHaveUsed | undefined;
  /** Edges never tell who was. */
  readonly isUnseen?: boolean | undefined;
  /** What `mayHaveUsed` says is known, and is so of those evaluated before, too, which have used it as it was. */
  readonly isExact?: boolean | undefined;
  /** Called when the property has been put back. */
  readonly restored?: (() => void) | undefined;
}

export type MayHaveUsed = (version: ModuleEdges, text: string) => boolean;

export class PropertyLayers {
  /** Told of what a module has changed that its version before had not changed, or that nobody is seen to use. */
  changedAnew: ((owner: ModuleEdges, mayHaveUsed: MayHaveUsed, isExact: boolean) => void) | undefined;
  readonly #ledger: Ledger;
  /** File to what the purge of its version has taken back; until the next one is evaluated. */
  readonly #takenBack = new Map<string, PropertyChange[]>();
  /** Object -> property -> layers, lowest first; a layer leaves with the purge of its owner. */
  readonly #layers = new WeakMap<object, Map<PropertyKey, Layer[]>>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  changed(change: PropertyChange): void {
    const { owner, target, key, before, after, what, stays, restored } = change;
    if (isSame(before, after)) return;
    this.#tellAnew(change);
    this.#ledger.shares(owner, "sets", target, what);
    const layers = this.#layersOf(target, key);
    const top = layers.at(-1);
    if (top?.owner === owner) {
      top.after = after;
      return;
    }
    const layer: Layer = { owner, before, after };
    layers.push(layer);
    this.#ledger.record(
      what,
      () => {
        const { file } = owner;
        this.#takenBack.set(file, [...(this.#takenBack.get(file) ?? []), change]);
        const above = layers[layers.indexOf(layer) + 1];
        layers.splice(layers.indexOf(layer), 1);
        if (above) above.before = layer.before;
        else if (!stays?.() && restore(target, key, layer)) restored?.();
      },
      owner,
    );
  }

  /** The new version of a file is evaluated: it has not changed again what is left. */
  evaluated(owner: ModuleEdges): void {
    for (const { mayHaveUsed, isUnseen } of this.#takenBack.get(owner.file) ?? []) {
      if (mayHaveUsed && isUnseen) this.changedAnew?.(owner, mayHaveUsed, false);
    }
    this.#takenBack.delete(owner.file);
  }

  #tellAnew({ owner, target, key, mayHaveUsed, isUnseen, isExact = false }: PropertyChange): void {
    const takenBack = this.#takenBack.get(owner.file) ?? [];
    const left = takenBack.filter((change) => change.target !== target || change.key !== key);
    if (left.length < takenBack.length) this.#takenBack.set(owner.file, left);
    const isNew = left.length === takenBack.length;
    if (mayHaveUsed && (isNew || isUnseen || isExact)) this.changedAnew?.(owner, mayHaveUsed, isExact);
  }

  /** The version that has changed the property last; undefined: none that is current. */
  ownerOf(target: object, key: PropertyKey): ModuleEdges | undefined {
    return this.#layers.get(target)?.get(key)?.at(-1)?.owner;
  }

  #layersOf(target: object, key: PropertyKey): Layer[] {
    const ofTarget = this.#layers.get(target) ?? new Map<PropertyKey, Layer[]>();
    this.#layers.set(target, ofTarget);
    const layers = ofTarget.get(key) ?? [];
    ofTarget.set(key, layers);
    return layers;
  }
}

export function isSame(one: Descriptor, other: Descriptor): boolean {
  if (!one || !other) return one === other;
  return Object.is(one.value, other.value) && one.get === other.get && one.set === other.set;
}

/** False when somebody else has changed the property since. */
function restore(target: object, key: PropertyKey, { before, after }: Layer): boolean {
  const property = sharedDescriptor(target, key);
  if (!isSame(property, after)) return false;
  return before ? Reflect.defineProperty(target, key, before) : Reflect.deleteProperty(target, key);
}
