/** Takes one class out of the process: its own purge hook runs, and its global name goes. */
import type { ClassValue, KnownClass } from "./class-value.js";

/** A static method of this name is called before the class goes; it may return a promise. Subclasses inherit it. */
const PURGE = Symbol.for("unreloader.purge");

/** Gives whether there was anything to do; a promise when the hook takes time. Throws, or rejects with, what the hook does. */
export function purgeClass({ value, name }: KnownClass): boolean | Promise<boolean> {
  const deleted = deleteGlobal(name, value);
  const hook: unknown = Reflect.get(value, PURGE);
  if (typeof hook !== "function") return deleted;
  const result: unknown = Reflect.apply(hook, value, []);
  return result instanceof Promise ? result.then(() => true) : true;
}

/** Not when something else stands there by now, or when it would have to be asked of a getter. */
function deleteGlobal(name: string, value: ClassValue): boolean {
  const descriptor = Reflect.getOwnPropertyDescriptor(globalThis, name);
  return name !== "" && descriptor?.value === value && Reflect.deleteProperty(globalThis, name);
}
