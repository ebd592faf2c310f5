/** What packages and Node have handed to own modules: theirs, not the app's state. */
import { EventEmitter } from "node:events";
import { withoutProxies } from "../../src/common/proxy-targets.js";
import { isObject, ownDescriptor, ownKeys, ownValue, prototypeOf, textOf } from "../../src/common/untouched.js";
import { globalDescriptor } from "../ledger/global-descriptor.js";

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

  /** The exports of a package that an adapter looks after. */
  addAdapted(exports: unknown): void {
    if (isObject(exports)) this.#adaptedExports.push(exports);
  }

  /** Whether it is an instance of a class of such a package, or a class that descends from one. */
  isAdapted(value: object): boolean {
    for (const exports of this.#adaptedExports.splice(0)) {
      for (const prototype of prototypesIn(exports)) this.#adapted.add(prototype);
    }
    let at = prototypeOfInstances(value);
    for (; isObject(at); at = prototypeOf(at)) if (this.#adapted.has(at)) return true;
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
      const whole: unknown = ownValue(exports, "default");
      if (isObject(whole)) for (const member of membersOf(whole)) this.#known.add(member);
    }
  }
}

function prototypesIn(exports: object): Set<object> {
  const prototypes = new Set<object>();
  // Classes begin with a capital letter.
  const names = ownKeys(exports).filter((name) => typeof name === "string" && /^[A-Z]/.test(name));
  const classes = names.map((name) => ownValue(exports, name) ?? passedOn(exports, name));
  for (const member of [exports, ...membersOf(exports), ...classes]) {
    if (!isObject(member)) continue;
    // A stand-in that an adapter gives for a class has the prototype of that class.
    const prototype = prototypeOfInstances(withoutProxies(member) ?? member);
    if (isObject(prototype) && !isBuiltinPrototype(prototype)) prototypes.add(prototype);
  }
  return prototypes;
}

/** Of the instances of a class, or of `value` itself. */
function prototypeOfInstances(value: object): unknown {
  return typeof value === "function" ? ownValue(value, "prototype") : prototypeOf(value);
}

/** TypeScript re-exports by getters that read a property of another module. Any other getter may load, or complain. */
const PASSES_ON =
  /^(?:get )?(?:function)?\s*\w*\s*\(\)\s*(?:=>)?\s*\{?\s*(?:return )?\s*\w+(?:\.\w+|\[\w+\]|\["\w+"\])*;?\s*\}?$/;

/** Whether a getter gives a variable, or a property of one, and does nothing else. */
export function isPassingOn(get: object): boolean {
  return PASSES_ON.test(textOf(get));
}

function passedOn(exports: object, name: PropertyKey): unknown {
  const get = ownDescriptor(exports, name)?.get;
  if (!get || !isPassingOn(get)) return undefined;
  try {
    return Reflect.apply(get, exports, []);
  } catch (error) {
    // An export that is not initialised yet.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Of Node and the language, which a package may export as well: theirs are not the package's. */
function isBuiltinPrototype(prototype: object): boolean {
  if (prototype === EventEmitter.prototype) return true;
  const made: unknown = ownValue(prototype, "constructor");
  if (typeof made !== "function") return false;
  const name = ownValue(made, "name");
  return typeof name === "string" && globalDescriptor(name)?.value === made;
}

function membersOf(exports: object): object[] {
  return ownKeys(exports)
    .map((name) => ownValue(exports, name))
    .filter(isObject);
}
