/**
 * What modules have put into properties that others share. Several may have changed the same one, each on top of the
 * other; one that is purged takes its layer out, whatever its place.
 */
import type { ModuleEdges } from "../runtime/module-edges.js";
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
  /** What is there now, when that is not what the property says. */
  readonly now?: (() => Descriptor) | undefined;
  /** Called when the property has been put back. */
  readonly restored?: (() => void) | undefined;
}

export class PropertyLayers {
  readonly #ledger: Ledger;
  /** Object -> property -> layers, lowest first; a layer leaves with the purge of its owner. */
  readonly #layers = new WeakMap<object, Map<PropertyKey, Layer[]>>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  changed({ owner, target, key, before, after, what, stays, now, restored }: PropertyChange): void {
    if (isSame(before, after)) return;
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
        const above = layers[layers.indexOf(layer) + 1];
        layers.splice(layers.indexOf(layer), 1);
        if (above) above.before = layer.before;
        else if (!stays?.() && restore(target, key, layer, now)) restored?.();
      },
      owner,
    );
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
function restore(target: object, key: PropertyKey, { before, after }: Layer, now?: () => Descriptor): boolean {
  const property = now ? now() : Object.getOwnPropertyDescriptor(target, key);
  if (!isSame(property, after)) return false;
  return before ? Reflect.defineProperty(target, key, before) : Reflect.deleteProperty(target, key);
}
