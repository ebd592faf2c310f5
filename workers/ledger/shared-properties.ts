/**
 * Globals, patched prototypes and patched functions of builtin modules: what has changed while a module was evaluated is
 * put back at its purge, unless somebody else has changed it since.
 */
import { syncBuiltinESMExports } from "node:module";
import { isObject } from "../../src/common/untouched.js";
import type { EvaluationWatch } from "../runtime/evaluation-watch.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import { Builtins, mayPatch } from "./builtins.js";
import { GlobalNames } from "./global-names.js";
import { mentionsGlobal, mentionsProperty } from "./mentions.js";
import type { OwnGlobals } from "./own-globals.js";
import type { OwnPatches } from "./own-patches.js";
import type { MayHaveUsed, PropertyLayers } from "./property-layers.js";
import type { Difference } from "./watched-objects.js";

export interface SharedPropertiesOptions {
  readonly observer: Observer;
  readonly layers: PropertyLayers;
  readonly ownGlobals: OwnGlobals;
  readonly ownPatches: OwnPatches;
  /** Modules are evaluated from here on, until none is. */
  evaluates(): void;
  /** A package has put an object on globalThis. `owner`: while this module was being evaluated. */
  packageGlobal?(name: string, value: object, owner: ModuleEdges | undefined): void;
  /** Tells of the exports of packages that own modules get. */
  packages?(watch: (exports: unknown) => void): void;
  /** The text of an own file that is being evaluated. */
  sourceOf(file: string): string | undefined;
  /** Whether a global that a module has set stays when the module is purged. */
  staysGlobal?(name: string, value: unknown): boolean;
  /** Whether the text of an own module has the name. */
  isMentioned?(name: string): boolean;
}

/** Returns the way back. To be called when everything else that replaces something of Node's has been installed. */
export function installSharedProperties(options: SharedPropertiesOptions): () => void {
  const properties = new SharedProperties(options);
  options.packages?.((exports) => properties.handedOver(exports));
  return options.observer.watchEvaluations(properties);
}

class SharedProperties implements EvaluationWatch {
  readonly #options: SharedPropertiesOptions;
  readonly #globals = new GlobalNames();
  readonly #builtins = new Builtins();
  /** Version -> whether its text looks as if it patched builtins. */
  readonly #isSuspect = new WeakMap<ModuleEdges, boolean>();
  /** Modules whose bodies are on the stack, innermost last. */
  readonly #running: ModuleEdges[] = [];
  /** Modules that wait for something in the middle of their evaluation, and how many of them are suspects. */
  readonly #waiting = new Set<ModuleEdges>();
  #waitingSuspects = 0;

  constructor(options: SharedPropertiesOptions) {
    this.#options = options;
  }

  handedOver(exports: unknown): void {
    this.#builtins.addPackage(exports);
    if (this.#isWatched(this.#running.at(-1))) this.#builtins.update();
  }

  entering(inner: ModuleEdges, outer: ModuleEdges | undefined): void {
    const before = outer ?? this.#onlyWaiting();
    const exactly = this.#suspect(inner) || this.#isWatched(outer);
    this.#attribute(before, this.#globals.look(exactly));
    if (exactly) this.#lookAtBuiltins(before);
    this.#running.push(inner);
    this.#options.evaluates();
  }

  leaving(inner: ModuleEdges): void {
    this.#running.pop();
    const exactly = this.#isWatched(inner) || this.#isWatched(this.#running.at(-1));
    this.#attribute(inner, this.#globals.look(exactly));
    if (exactly) this.#lookAtBuiltins(inner);
    if (!this.#waiting.has(inner)) this.#options.layers.evaluated(inner);
    if (this.#running.length > 0) this.#options.evaluates();
  }

  suspending(inner: ModuleEdges): void {
    this.#look(inner, inner);
  }

  /** What a package has changed as it was loaded stays: it is not loaded again. */
  resuming(inner: ModuleEdges): void {
    this.#look(inner, undefined);
  }

  waiting(edges: ModuleEdges): void {
    this.#waiting.add(edges);
    if (this.#suspect(edges)) this.#waitingSuspects++;
  }

  settled(edges: ModuleEdges): void {
    this.#look(edges, this.#onlyWaiting());
    this.#waiting.delete(edges);
    if (this.#suspect(edges)) this.#waitingSuspects--;
    this.#options.layers.evaluated(edges);
  }

  /** Nothing tells whose continuation has run; when one module waits, it was that one's (requests are held meanwhile). */
  #onlyWaiting(): ModuleEdges | undefined {
    const [first, second] = this.#waiting;
    return second ? undefined : first;
  }

  /** Compares at a moment at which `running` stops or goes on. */
  #look(running: ModuleEdges, owner: ModuleEdges | undefined): void {
    const exactly = this.#isWatched(running);
    this.#attribute(owner, this.#globals.look(exactly));
    if (exactly) this.#lookAtBuiltins(owner);
  }

  /**
   * Whether builtins are compared before and after what this module does. Of one that is no suspect, only those who
   * import it or whom it imports can make that necessary: looking at each below a suspect takes seconds in a large app.
   */
  #isWatched(edges: ModuleEdges | undefined): boolean {
    return this.#waitingSuspects > 0 || (edges !== undefined && this.#suspect(edges));
  }

  #suspect(edges: ModuleEdges): boolean {
    let isSuspect = this.#isSuspect.get(edges);
    if (isSuspect === undefined) {
      isSuspect = mayPatch(this.#options.sourceOf(edges.file) ?? "");
      this.#isSuspect.set(edges, isSuspect);
    }
    return isSuspect;
  }

  #lookAtBuiltins(owner: ModuleEdges | undefined): void {
    const differences = this.#builtins.objects.look();
    this.#builtins.update();
    if (this.#isWatched(owner)) this.#attribute(owner, differences);
  }

  #attribute(owner: ModuleEdges | undefined, differences: readonly Difference[]): void {
    for (const { target, key, before, after } of differences) {
      const name = String(key);
      const isGlobal = target === globalThis;
      const isNamed = isGlobal && owner !== undefined && this.#isNamed(key, owner);
      if (isGlobal && !isNamed && !before && isRegistry(after)) {
        this.#options.packageGlobal?.(name, after.value, owner);
        continue;
      }
      if (!owner) continue;
      const stays = isGlobal && after ? () => this.#options.staysGlobal?.(name, after.value) ?? false : undefined;
      const what = isGlobal ? `global ${name}` : `patched ${name}`;
      const isUnseen = !isGlobal && !this.#builtins.isSeen(target);
      const mayHaveUsed: MayHaveUsed = (_, text) => this.#mentions(text, target, key);
      const change = { owner, target, key, before, after, what, stays, isUnseen, mayHaveUsed };
      this.#options.layers.changed({ ...change, restored: syncBuiltinESMExports });
      if (isNamed) this.#options.ownGlobals.add(key);
      if (!isUnseen) this.#options.ownPatches.add(target, key);
    }
  }

  #mentions(text: string, target: object, key: PropertyKey): boolean {
    if (target !== globalThis) return mentionsProperty(text, this.#builtins.nameOf(target), key);
    return typeof key === "symbol" ? mentionsProperty(text, undefined, key) : mentionsGlobal(text, String(key));
  }

  /**
   * Whether it is named in the app's own text. Else a package has set it, for itself, when a module asked first: it is not
   * that module's, since others register there, too.
   */
  #isNamed(key: PropertyKey, owner: ModuleEdges): boolean {
    const name = typeof key === "symbol" ? key.description : String(key);
    if (name === undefined || name === "") return false;
    const words = typeof key === "symbol" ? ["Symbol", name] : [name];
    const { sourceOf, isMentioned } = this.#options;
    const text = sourceOf(owner.file) ?? "";
    return words.every((word) => text.includes(word) || isMentioned?.(word));
  }
}

/** Not a function, of which nothing is known, nor a primitive value. */
function isRegistry(property: PropertyDescriptor | undefined): property is PropertyDescriptor & { value: object } {
  const value: unknown = property?.value;
  return isObject(value) && typeof value !== "function";
}
