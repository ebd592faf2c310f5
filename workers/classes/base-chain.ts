/** What a class is derived from, by looking at it only: no getter of the app runs, and no trap. */
import { withoutProxies } from "../../src/common/proxy-targets.js";
import { hasOwn, ownValue, prototypeOf } from "../../src/common/untouched.js";

/** A class, or a function that is used as one. */
// biome-ignore lint/complexity/noBannedTypes: classes of the app, of whose shape nothing is known
export type AnyClass = Function;

/**
 * The classes that `target` descends from, nearest first. Follows `extends`, and where that ends in a function, its
 * prototype's prototype, as `util.inherits` and its likes make it. Of a proxy of a class, what its target descends from.
 */
export function basesOf(target: AnyClass): AnyClass[] {
  const bases: AnyClass[] = [];
  for (let base = baseOf(target); base !== undefined && !bases.includes(base); base = baseOf(base)) bases.push(base);
  return bases;
}

/** The name it has now; empty when it is none, or no plain text. */
export function ownName(target: AnyClass): string {
  const looked = withoutProxies(target);
  const name: unknown = looked && ownValue(looked, "name");
  return typeof name === "string" ? name : "";
}

function baseOf(given: AnyClass): AnyClass | undefined {
  const target = withoutProxies(given);
  if (!target) return undefined;
  const base: unknown = prototypeOf(target);
  if (typeof base === "function" && !isRootFunction(base)) return base;
  const prototype: unknown = ownValue(target, "prototype");
  if (typeof prototype !== "object" || prototype === null) return undefined;
  const above: unknown = prototypeOf(prototype);
  if (typeof above !== "object" || above === null || prototypeOf(above) === null) return undefined;
  const maker: unknown = ownValue(above, "constructor");
  return typeof maker === "function" && maker !== target && maker !== given ? maker : undefined;
}

/** `Function.prototype`, of any realm. */
function isRootFunction(value: AnyClass): boolean {
  const above: unknown = prototypeOf(value);
  return above !== null && prototypeOf(above as object) === null && !hasOwn(value, "prototype");
}

/** How a class is named to people. */
export function shownName(name: string): string {
  return name === "" ? "(anonymous)" : name;
}
