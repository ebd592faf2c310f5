/**
 * The net under the adapters: packages that nobody knows, and with which modules register something while they are
 * evaluated. The collections that a package exports are compared around each evaluation; what a module has added is taken
 * out at its purge.
 */

import { withoutProxies } from "../../src/common/proxy-targets.js";
import { isArray, isProxy, prototypeOf } from "../../src/common/untouched.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { EvaluationWatch, Observer } from "../runtime/observer.js";
import { constructorOf, type Slots, slotsOfCollection } from "../written/slots.js";
import type { Ledger } from "./ledger.js";
import { type Added, addedBetween, type Collection, collectionsOf, sizeOf, takeOut } from "./package-collections.js";

export interface PackageRegistrationsOptions {
  readonly ledger: Ledger;
  readonly observer: Observer;
  /** The module's top level calls nothing: it need not be watched. */
  isPassive(file: string): boolean;
  /** A class or constructor of the app's own. */
  isOwnClass(made: object): boolean;
}

/** How deep an entry is searched for functions that a module has handed over. */
const ENTRY_DEPTH = 3;

interface Known {
  size: number;
  slots: Slots;
}

export class PackageRegistrations implements EvaluationWatch {
  readonly #options: PackageRegistrationsOptions;
  /** Collection to what was in it at the last look. As many as packages export; they are never unloaded. */
  readonly #known = new Map<Collection, Known>();
  readonly #packages = new WeakSet<object>();
  /** Nothing but evaluations has run since the last look. */
  #isFresh = false;
  readonly #waiting = new Set<ModuleEdges>();
  /** What could not be taken out of packages, since `takeStuck`. */
  #stuck: { file: string; what: string }[] = [];

  constructor(options: PackageRegistrationsOptions) {
    this.#options = options;
  }

  /** Returns the way back. */
  install(): () => void {
    return this.#options.observer.watchEvaluations(this);
  }

  /** What purged modules have registered and is still in packages, told once. */
  takeStuck(): { file: string; what: string }[] {
    const stuck = this.#stuck;
    this.#stuck = [];
    return stuck;
  }

  /** An own module has got a package's exports. */
  handedOver(exports: unknown): void {
    if ((typeof exports !== "object" && typeof exports !== "function") || exports === null) return;
    if (this.#packages.has(exports)) return;
    this.#packages.add(exports);
    for (const collection of collectionsOf(exports)) {
      if (this.#known.has(collection)) continue;
      this.#known.set(collection, { size: sizeOf(collection), slots: slotsOfCollection(collection) ?? [] });
    }
  }

  /**
   * A package has put its registry on globalThis. What is in there already is what `owner` has registered, but for the
   * collections of which it is made: others register in them, too.
   */
  foundGlobal(registry: object, owner: ModuleEdges | undefined): void {
    if (this.#packages.has(registry)) return;
    this.#packages.add(registry);
    const collections = collectionsOf(registry);
    const parts = new Set<unknown>(collections);
    for (const collection of collections) {
      if (this.#known.has(collection)) continue;
      const slots = slotsOfCollection(collection) ?? [];
      this.#known.set(collection, { size: sizeOf(collection), slots });
      if (!owner) continue;
      for (const added of addedBetween(collection, [], slots)) {
        if (!parts.has(added.value)) this.#added(owner, collection, added);
      }
    }
  }

  entering(inner: ModuleEdges, outer: ModuleEdges | undefined): void {
    if (this.#isPassive(inner) && outer !== undefined) return;
    if (outer === undefined ? !this.#isFresh : !this.#isPassive(outer)) this.#look(outer ?? this.#onlyWaiting());
  }

  leaving(inner: ModuleEdges): void {
    if (!this.#isPassive(inner)) this.#look(inner);
    this.#isFresh = true;
    queueMicrotask(() => {
      this.#isFresh = false;
    });
  }

  suspending(inner: ModuleEdges): void {
    if (!this.#isPassive(inner)) this.#look(inner);
  }

  /** What a package has registered with another as it was loaded stays: it is not loaded again. */
  resuming(): void {
    this.#look(undefined);
  }

  waiting(edges: ModuleEdges): void {
    this.#waiting.add(edges);
  }

  settled(edges: ModuleEdges): void {
    this.#look(this.#onlyWaiting());
    this.#waiting.delete(edges);
  }

  #onlyWaiting(): ModuleEdges | undefined {
    const [only] = this.#waiting;
    return this.#waiting.size === 1 ? only : undefined;
  }

  #isPassive(edges: ModuleEdges): boolean {
    return this.#known.size === 0 || this.#options.isPassive(edges.file);
  }

  #look(owner: ModuleEdges | undefined): void {
    for (const [collection, known] of this.#known) {
      const size = sizeOf(collection);
      if (size === known.size) continue;
      const before = known.slots;
      const grew = size > known.size;
      known.size = size;
      known.slots = slotsOfCollection(collection) ?? [];
      if (!owner || !grew) continue;
      for (const added of addedBetween(collection, before, known.slots)) this.#added(owner, collection, added);
    }
  }

  #added(owner: ModuleEdges, collection: Collection, added: Added): void {
    const isRegistration =
      [added.key, added.value].every((part) => isPlain(part)) || this.#holdsOwn(added, ENTRY_DEPTH);
    if (!isRegistration) return;
    const what = `entry ${describe(added.key)} in a collection of a package`;
    this.#options.ledger.record(
      what,
      () => {
        try {
          takeOut(collection, added);
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
          if (this.#holdsOwn(added, ENTRY_DEPTH)) this.#stuck.push({ file: owner.file, what });
        }
      },
      owner,
    );
  }

  /** Whether functions, or instances of classes of the app, are in there. */
  #holdsOwn(value: unknown, depth: number): boolean {
    if (typeof value === "function") return true;
    if (typeof value !== "object" || value === null || depth < 0) return false;
    if (isProxy(value)) {
      const target = withoutProxies(value);
      return target !== undefined && this.#holdsOwn(target, depth);
    }
    const made = constructorOf(value);
    if (made && this.#options.isOwnClass(made)) return true;
    const slots = slotsOfCollection(value) ?? [];
    return slots.some((part, index) => index % 2 === 1 && this.#holdsOwn(part, depth - 1));
  }
}

/** A primitive, a list or a plain object: written down by a module, not an instance that a package makes for all. */
function isPlain(value: unknown): boolean {
  if (typeof value === "function") return false;
  if (typeof value !== "object" || value === null) return true;
  if (isProxy(value)) return false;
  const prototype: unknown = prototypeOf(value);
  return isArray(value) || prototype === null || prototype === Object.prototype;
}

function describe(key: unknown): string {
  return typeof key === "object" || typeof key === "function" ? `of a ${typeof key}` : String(key);
}
