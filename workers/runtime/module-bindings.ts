/** The state of own modules as the runtime has it: their bindings, exported and private, by name. */

import { ownValue } from "../../src/common/untouched.js";
import { type Slots, UNINITIALISED } from "../written/slots.js";
import type { ModuleVersion } from "./module-record.js";
import type { Read } from "./namespace.js";
import type { Observer } from "./observer.js";
import type { Registry } from "./registry.js";

/** A binding leads to a module that is not evaluated, and a look must not evaluate it. */
export class NotEvaluated extends Error {}

export class ModuleBindings {
  readonly #registry: Registry;
  readonly #observer: Observer;
  readonly #isForeign: (value: object) => boolean;
  /** Functions that a binding of an own module has as its value, packages' excepted. */
  readonly #functions = new WeakSet<object>();
  #looking = false;

  constructor(registry: Registry, observer: Observer, isForeign: (value: object) => boolean) {
    this.#registry = registry;
    this.#observer = observer;
    this.#isForeign = isForeign;
  }

  /** Names and values in turn; undefined when the file has not been evaluated. Evaluates nothing, and nobody reads. */
  of(file: string): Slots | undefined {
    const version = this.#registry.version(file);
    return version && this.#unasked(() => this.#slotsOf(version));
  }

  /** What `read` gives without running anything of the app's; UNINITIALISED for what it cannot give so. */
  look(read: Read): unknown {
    return this.#unasked(() => readValue(read));
  }

  #unasked<Result>(run: () => Result): Result {
    const wasLooking = this.#looking;
    this.#looking = true;
    try {
      return this.#observer.unobserved(run);
    } finally {
      this.#looking = wasLooking;
    }
  }

  /** Bindings are being looked at: nothing may be run for it. */
  get looking(): boolean {
    return this.#looking;
  }

  /** Whether a class or function was declared by an own module, as far as has been seen. */
  owns(made: object): boolean {
    return this.#functions.has(made);
  }

  /** To be called before a module is evaluated on demand. False when nobody is looking; throws when the look must end. */
  lookingAt(file: string): boolean {
    if (!this.#looking) return false;
    if (this.#registry.version(file) === undefined) throw new NotEvaluated(file);
    return true;
  }

  #slotsOf(version: ModuleVersion): Slots {
    const slots: unknown[] = [];
    const add = (name: string, value: unknown): void => {
      if (typeof value === "function" && !this.#isForeign(value)) this.#functions.add(value);
      slots.push(name, value);
    };
    const { module } = version.record;
    if (module) add("module.exports", ownValue(module, "exports"));
    if (version.kind === "esm") for (const [name, read] of version.reads) add(name, readValue(read));
    const hidden = version.privateBindings?.();
    if (hidden) for (const [name, read] of Object.entries(hidden)) add(name, readValue(read));
    return slots;
  }
}

function readValue(read: Read): unknown {
  try {
    return read();
  } catch {
    // Not initialised, not evaluated, or passed on from where it has a getter that complains.
    return UNINITIALISED;
  }
}
