/**
 * Properties of the language's objects that own modules have patched, and Node's globals that they have replaced: who uses
 * one while it is evaluated depends on the module that has. (What is patched of Node's modules cannot be seen so: ES modules have
 * their own bindings of it.)
 */
import { isProxy } from "../../src/common/untouched.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import { StandingProperties } from "./standing-properties.js";

/** Node reads them itself, for whoever makes an error. */
const OF_ERRORS = new Set<PropertyKey>(["prepareStackTrace", "stackTraceLimit"]);

export interface OwnPatchesOptions {
  /** The version that has patched it last; undefined: none that is current. */
  ownerOf(target: object, key: PropertyKey): ModuleEdges | undefined;
  /** A module that is being evaluated may have used what `owner` has patched. */
  read(owner: ModuleEdges): void;
}

export class OwnPatches {
  readonly #options: OwnPatchesOptions;
  /** A key leaves when it is found that no module has patched it any more. */
  readonly #patched = new Map<object, Set<PropertyKey>>();
  readonly #standing = new StandingProperties();
  #watching = false;

  constructor(options: OwnPatchesOptions) {
    this.#options = options;
  }

  /** A module has patched it. */
  add(target: object, key: PropertyKey): void {
    if (isProxy(target) || OF_ERRORS.has(key)) return;
    const keys = this.#patched.get(target) ?? new Set();
    this.#patched.set(target, keys.add(key));
    if (this.#watching) this.#stand(target, key);
  }

  /** Modules are evaluated from here on. */
  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    for (const [target, keys] of this.#patched) {
      for (const key of keys) {
        if (this.#options.ownerOf(target, key)) this.#stand(target, key);
        else keys.delete(key);
      }
      if (keys.size === 0) this.#patched.delete(target);
    }
  }

  /** None is. */
  unwatch(): void {
    this.#watching = false;
    this.#standing.fall();
  }

  #stand(target: object, key: PropertyKey): void {
    this.#standing.stand(target, key, () => {
      const owner = this.#options.ownerOf(target, key);
      if (owner) this.#options.read(owner);
    });
  }
}
