/** What packages and Node have handed to own modules: theirs, not the app's state. */
import { EventEmitter } from "node:events";

export class ForeignObjects {
  /** Exports that have been handed over and not been looked at. */
  #pending: object[] = [];
  readonly #known = new WeakSet<object>();
  /** Exports of packages that an adapter looks after, not looked at so far. */
  #adaptedExports: object[] = [];
  /** Prototypes of what such packages export: of classes, and of instances. */
  readonly #adapted = new WeakSet<object>();

  /** The exports of a package or of a builtin, as `require` or `import` gave them. */
  add(exports: unknown): void {
    if (isObject(exports) && !this.#known.has(exports)) this.#pending.push(exports);
  }

  /** The exports of a package that an adapter looks after, whoever has loaded it. */
  addAdapted(exports: unknown): void {
    if (isObject(exports)) this.#adaptedExports.push(exports);
  }

  /** Whether it is an instance of a class of such a package, or a class that descends from one. */
  isAdapted(value: object): boolean {
    for (const exports of this.#adaptedExports.splice(0)) {
      for (const prototype of prototypesIn(exports)) this.#adapted.add(prototype);
    }
    let at: unknown = typeof value === "function" ? prototypeOf(value) : Object.getPrototypeOf(value);
    for (; isObject(at); at = Object.getPrototypeOf(at)) if (this.#adapted.has(at)) return true;
    return false;
  }

  /** Whether `value` is such an export, whole or one of its members. */
  has(value: object): boolean {
    if (this.#pending.length > 0) this.#expand();
    return this.#known.has(value);
  }

  #expand(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const exports of pending) {
      if (this.#known.has(exports)) continue;
      this.#known.add(exports);
      const members = membersOf(exports);
      for (const member of members) this.#known.add(member);
      const whole: unknown = Object.getOwnPropertyDescriptor(exports, "default")?.value;
      if (isObject(whole)) for (const member of membersOf(whole)) this.#known.add(member);
    }
  }
}

function prototypesIn(exports: object): Set<object> {
  const prototypes = new Set<object>();
  // TypeScript re-exports by getters. Others may load or complain, but classes begin with a capital letter.
  const names = Object.getOwnPropertyNames(exports).filter((name) => /^[A-Z]/.test(name));
  const classes = names.map((name) => (readValue(exports, name) ?? readAccessor(exports, name)) as unknown);
  for (const member of [exports, ...membersOf(exports), ...classes]) {
    if (!isObject(member)) continue;
    // A stand-in that an adapter gives for a class has the prototype of that class.
    const prototype = typeof member === "function" ? prototypeOf(member) : Object.getPrototypeOf(member);
    if (isObject(prototype) && !isBuiltinPrototype(prototype)) prototypes.add(prototype);
  }
  return prototypes;
}

function prototypeOf(made: object): unknown {
  return Object.getOwnPropertyDescriptor(made, "prototype")?.value;
}

/** Of Node and the language, which a package may export as well: theirs are not the package's. */
function isBuiltinPrototype(prototype: object): boolean {
  if (prototype === EventEmitter.prototype) return true;
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof made === "function" && Reflect.get(globalThis, made.name) === made;
}

function membersOf(exports: object): object[] {
  const members: object[] = [];
  for (const name of Reflect.ownKeys(exports)) {
    const value = readValue(exports, name);
    if (isObject(value)) members.push(value);
  }
  return members;
}

/** Without asking accessors; an export that is not initialised yet has none. */
function readValue(exports: object, name: PropertyKey): unknown {
  try {
    return Object.getOwnPropertyDescriptor(exports, name)?.value;
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

function readAccessor(exports: object, name: string): unknown {
  try {
    return Reflect.get(exports, name);
  } catch (error) {
    // A getter for what is not installed, or an export that is not initialised yet.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
