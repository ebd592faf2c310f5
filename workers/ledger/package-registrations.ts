/**
 * The net under the adapters: packages that nobody knows, and with which modules register something while they are
 * evaluated, or in callbacks that they have left behind (of `listen()`, a timer, a promise). The collections that a package
 * exports, or keeps behind what it exports, are compared around each of these; what a module has added is taken out at its purge.
 */

import { withoutProxies } from "../../src/common/proxy-targets.js";
import { isArray, isProxy, prototypeOf, textOf } from "../../src/common/untouched.js";
import type { EvaluationWatch } from "../runtime/evaluation-watch.js";
import type { PieceWatch } from "../runtime/left-behind.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import { constructorOf, type Slots, slotsOfCollection } from "../written/slots.js";
import type { Ledger } from "./ledger.js";
import {
  type Added,
  addedBetween,
  behind,
  type Collection,
  collectionsOf,
  entryName,
  moveInFrontOf,
  sizeOf,
  takeOut,
} from "./package-collections.js";
import type { PackageKeepers } from "./package-keepers.js";
import { collectionsIn, scopeVariablesOf } from "./package-scopes.js";
import type { RegistrationPlaces } from "./registration-places.js";

export interface PackageRegistrationsOptions {
  readonly ledger: Ledger;
  readonly observer: Observer;
  /** Where things stood that purged modules had registered. */
  readonly places: RegistrationPlaces;
  /** Which packages keep in variables what they are given first. */
  readonly keepers?: PackageKeepers | undefined;
  /** The evaluation of a file begins. */
  entering(file: string): void;
  /** Whether an entry is plain data that the file has given. */
  isDataOf(file: string, entry: object): boolean;
  /** The module's top level calls nothing: it need not be watched. */
  isPassive(file: string): boolean;
  /** Whether the text of the file names the package. */
  imports(file: string, packageName: string): boolean;
  /** Whether the file exports what others export. */
  passesOn(file: string): boolean;
  /** The text of an own file as it is evaluated. */
  bodyOf(file: string): string | undefined;
  /** A class or constructor of the app's own. */
  isOwnClass(made: object): boolean;
  /** What a package or Node exports. */
  isForeign(value: object): boolean;
}

/** How deep an entry is searched for functions that a module has handed over. */
const ENTRY_DEPTH = 3;

/**
 * Looks around callbacks and continuations may take so many milliseconds behind an evaluation, and later this part of the time:
 * one takes 10 to 200 us, and an evaluation may leave 20,000 continuations behind, or a listener for all that a connection receives.
 */
const LOOKS_MS = 50;
const SHARE = 0.02;

interface Known {
  /** Undefined for what stands on globalThis. */
  readonly packageName: string | undefined;
  /** The package does not export it. */
  readonly isPrivate: boolean;
  size: number;
  slots: Slots;
}

export class PackageRegistrations implements EvaluationWatch, PieceWatch {
  readonly #options: PackageRegistrationsOptions;
  /** Collection to what was in it at the last look. As many as packages export; they are never unloaded. */
  readonly #known = new Map<Collection, Known>();
  readonly #packages = new WeakSet<object>();
  /** Exports that only modules which call nothing have got, with the name of the package: nobody can have registered there. */
  readonly #unused = new Map<object, string>();
  /** Name of a package to the versions whose registrations it holds. */
  readonly #registered = new Map<string, Set<ModuleEdges>>();
  /** Modules whose bodies are on the stack, innermost last. */
  readonly #running: ModuleEdges[] = [];
  /** Nothing but evaluations has run since the last look. */
  #isFresh = false;
  readonly #waiting = new Set<ModuleEdges>();
  /** Callbacks on the stack around which is looked, innermost last. */
  readonly #pieces: ModuleEdges[] = [];
  /** Milliseconds that looks around these may take, and when that was known. */
  #leftMs = LOOKS_MS;
  #leftAt = 0;
  /** What could not be taken out of packages, since `takeStuck`. */
  #stuck: { file: string; what: string }[] = [];

  constructor(options: PackageRegistrationsOptions) {
    this.#options = options;
  }

  /** Returns the way back. */
  install(): () => void {
    const { observer } = this.#options;
    const ends = [observer.watchPieces(this), observer.watchEvaluations(this)];
    return () => {
      for (const end of ends) end();
    };
  }

  /** What purged modules have registered and is still in packages, told once. */
  takeStuck(): { file: string; what: string }[] {
    const stuck = this.#stuck;
    this.#stuck = [];
    return stuck;
  }

  /** An own module has got a package's exports. */
  handedOver(exports: unknown, packageName: string): void {
    if ((typeof exports !== "object" && typeof exports !== "function") || exports === null) return;
    if (this.#packages.has(exports)) return;
    this.#packages.add(exports);
    const user = this.#running.at(-1) ?? this.#pieces.at(-1);
    if (user && this.#mayUse(user)) this.#watch(exports, packageName);
    else this.#unused.set(exports, packageName);
  }

  #mayUse({ file }: ModuleEdges): boolean {
    return !this.#options.isPassive(file) || this.#options.passesOn(file);
  }

  #watchUsedBy(user: ModuleEdges): void {
    if (this.#unused.size === 0 || !this.#mayUse(user)) return;
    for (const [exports, packageName] of this.#unused) {
      if (!this.#options.imports(user.file, packageName)) continue;
      this.#unused.delete(exports);
      this.#watch(exports, packageName);
    }
  }

  #watch(exports: object, packageName: string): void {
    for (const collection of collectionsOf(exports)) this.#know(collection, packageName, false);
    const variables = scopeVariablesOf(exports);
    for (const collection of collectionsIn(variables, this.#options.isForeign)) {
      this.#know(collection, packageName, true);
    }
    this.#options.keepers?.handedOver(exports, packageName, variables);
  }

  #know(collection: Collection, packageName: string, isPrivate: boolean): void {
    if (this.#known.has(collection)) return;
    const slots = slotsOfCollection(collection) ?? [];
    this.#known.set(collection, { packageName, isPrivate, size: sizeOf(collection), slots });
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
      const known = { packageName: undefined, isPrivate: false, size: sizeOf(collection), slots };
      this.#known.set(collection, known);
      if (!owner) continue;
      for (const added of addedBetween(collection, [], slots)) {
        if (!parts.has(added.value)) this.#added(owner, collection, known, added);
      }
    }
  }

  entering(inner: ModuleEdges, outer: ModuleEdges | undefined): void {
    this.#options.entering(inner.file);
    this.#running.push(inner);
    this.#leftMs = LOOKS_MS;
    this.#watchUsedBy(inner);
    if (this.#isPassive(inner) && outer !== undefined) return;
    if (outer === undefined ? !this.#isFresh : !this.#isPassive(outer)) this.#look(outer ?? this.#onlyWaiting());
  }

  leaving(inner: ModuleEdges): void {
    this.#running.pop();
    if (!this.#isPassive(inner)) {
      this.#look(inner);
      this.#usesOthers(inner);
    }
    if (!this.#waiting.has(inner)) this.#options.places.forget(inner.file);
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
    if (!this.#isPassive(edges)) this.#usesOthers(edges);
    this.#waiting.delete(edges);
    this.#options.places.forget(edges.file);
  }

  /**
   * What a package gave to a module that was evaluated may be what others had registered there. One that registers something
   * itself mostly does nothing else with the package.
   */
  #usesOthers(reader: ModuleEdges): void {
    for (const [packageName, owners] of this.#registered) {
      if (owners.size === 0 || owners.has(reader) || !this.#options.imports(reader.file, packageName)) continue;
      for (const { file } of owners) reader.usesGlobal(file);
    }
  }

  goesOn(edges: ModuleEdges): void {
    if (this.#isPassive(edges)) return;
    const now = performance.now();
    this.#leftMs = Math.min(LOOKS_MS, this.#leftMs + (now - this.#leftAt) * SHARE);
    this.#leftAt = now;
    if (this.#leftMs <= 0) return;
    this.#lookAround(this.#onlyWaiting());
    this.#pieces.push(edges);
  }

  paused(edges: ModuleEdges): void {
    if (this.#pieces.at(-1) !== edges) return;
    this.#pieces.pop();
    this.#lookAround(edges);
  }

  #lookAround(owner: ModuleEdges | undefined): void {
    const began = performance.now();
    this.#look(owner);
    this.#leftMs -= performance.now() - began;
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
      for (const added of addedBetween(collection, before, known.slots)) this.#added(owner, collection, known, added);
    }
  }

  #added(owner: ModuleEdges, collection: Collection, { packageName, isPrivate }: Known, added: Added): void {
    // What a package has made and put by for itself (a pool, a cache, a queue) is to stay there: only code of the app's counts.
    const isRegistration = isPrivate
      ? this.#holds(added, ENTRY_DEPTH, (made) => this.#isOf(owner, made)) || this.#options.isDataOf(owner.file, added)
      : [added.key, added.value].every((part) => isPlain(part)) || this.#holds(added, ENTRY_DEPTH);
    if (!isRegistration) return;
    this.#options.ledger.shares(owner, "registers", collection, "entries of a package");
    const place = this.#options.places.take(owner.file, collection);
    if (place) moveInFrontOf(collection, added, place);
    if (packageName !== undefined) {
      const owners = this.#registered.get(packageName) ?? new Set();
      this.#registered.set(packageName, owners.add(owner));
    }
    const what = `entry ${describe(added.key)} in a collection of a package`;
    this.#options.ledger.record(
      what,
      () => {
        if (packageName !== undefined) this.#registered.get(packageName)?.delete(owner);
        try {
          this.#options.places.left(owner.file, collection, entryName(collection, added), behind(collection, added));
          takeOut(collection, added);
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
          if (this.#holds(added, ENTRY_DEPTH)) this.#stuck.push({ file: owner.file, what });
        }
      },
      owner,
    );
  }

  /** Whether the text of the function is in the module, or in one that it has read. */
  #isOf({ file, observed }: ModuleEdges, made: object): boolean {
    const text = textOf(made);
    for (const each of [file, ...observed]) if (this.#options.bodyOf(each)?.includes(text)) return true;
    return false;
  }

  /** Whether functions, or instances of classes of the app, are in there. `counts`: which functions; absent: all. */
  #holds(value: unknown, depth: number, counts: (made: object) => boolean = () => true): boolean {
    if (typeof value === "function") return counts(value);
    if (typeof value !== "object" || value === null || depth < 0) return false;
    if (isProxy(value)) {
      const target = withoutProxies(value);
      return target !== undefined && this.#holds(target, depth, counts);
    }
    const made = constructorOf(value);
    if (made && this.#options.isOwnClass(made)) return true;
    const slots = slotsOfCollection(value) ?? [];
    return slots.some((part, index) => index % 2 === 1 && this.#holds(part, depth - 1, counts));
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
