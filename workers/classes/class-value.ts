/** Classes as values, and what a file's classes are known by. */

/** A class, abstract or not, or a constructor function. */
export type ClassValue = abstract new (...args: never[]) => unknown;

/** A class that a file has defined. */
export interface KnownClass {
  readonly value: ClassValue;
  /** As it was defined; "" for an anonymous one. A static member `name` does not change it. */
  readonly name: string;
  readonly hasPrivate: boolean;
}

export function isClassValue(value: unknown): value is ClassValue {
  return typeof value === "function";
}

/** The name that a function was given when it was made; undefined when something else took the place of `name`. */
export function ownName(value: ClassValue): string | undefined {
  const name: unknown = Reflect.getOwnPropertyDescriptor(value, "name")?.value;
  return typeof name === "string" ? name : undefined;
}

/**
 * The class and what it inherits from, nearest first. Old-style inheritance (`util.inherits`) links the prototypes only,
 * so the constructors along the prototype chain count too.
 */
export function baseChain(value: ClassValue): Set<ClassValue> {
  const chain = new Set<ClassValue>();
  for (let base: unknown = value; isClassValue(base) && base !== Function.prototype; base = Reflect.getPrototypeOf(base)) {
    chain.add(base);
  }
  for (let prototype: unknown = value.prototype; isObject(prototype); prototype = Reflect.getPrototypeOf(prototype)) {
    const constructor: unknown = Reflect.getOwnPropertyDescriptor(prototype, "constructor")?.value;
    if (isClassValue(constructor)) chain.add(constructor);
  }
  // Everything descends from it, so that nobody can mean it.
  chain.delete(Object);
  return chain;
}

export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
