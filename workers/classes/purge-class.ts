/** Takes one class out of the process: its own purge hook runs, and its global name goes. */
import { types } from "node:util";
import { withoutProxies } from "../../src/common/proxy-targets.js";
import { findDescriptor } from "../../src/common/untouched.js";
import { globalDescriptor } from "../ledger/global-descriptor.js";
import type { AnyClass } from "./base-chain.js";
import type { OwnClass } from "./class-table.js";

/** A static method of this name is called before the class goes; it may return a promise. Subclasses inherit it. */
const PURGE = Symbol.for("unreloader.purge");

/** What purging and reopening need of a class. `reader`: it has `#private` members. */
export type KnownClass = Pick<OwnClass, "target" | "name" | "reader">;

/** Gives whether there was anything to do; a promise when the hook takes time. Throws, or rejects with, what the hook does. */
export function purgeClass({ target, name }: KnownClass): boolean | Promise<boolean> {
  const deleted = deleteGlobal(name, target);
  const looked = withoutProxies(target);
  const hook: unknown = looked && hookOf(looked, target);
  if (typeof hook !== "function") return deleted;
  const result: unknown = Reflect.apply(hook, target, []);
  return types.isPromise(result) ? result.then(() => true) : true;
}

/** The name of the hook is ours: a getter of that name is there to be asked. */
function hookOf(looked: AnyClass, target: AnyClass): unknown {
  const property = findDescriptor(looked, PURGE);
  return property?.get ? Reflect.apply(property.get, target, []) : property?.value;
}

/** Not when something else stands there by now, or when it would have to be asked of a getter. */
function deleteGlobal(name: string, target: AnyClass): boolean {
  const descriptor = globalDescriptor(name);
  return name !== "" && descriptor?.value === target && Reflect.deleteProperty(globalThis, name);
}
