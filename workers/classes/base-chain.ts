/** What a class is derived from, by looking at it only: no getter of the app runs. */

/** A class, or a function that is used as one. */
// biome-ignore lint/complexity/noBannedTypes: classes of the app, of whose shape nothing is known
export type AnyClass = Function;

/**
 * The classes that `target` descends from, nearest first. Follows `extends`, and where that ends in a function, its
 * prototype's prototype, as `util.inherits` and its likes make it.
 */
export function basesOf(target: AnyClass): AnyClass[] {
  const bases: AnyClass[] = [];
  for (let base = baseOf(target); base !== undefined && !bases.includes(base); base = baseOf(base)) bases.push(base);
  return bases;
}

/** The name it has now; empty when it is none, or no plain text. */
export function ownName(target: AnyClass): string {
  const name: unknown = Object.getOwnPropertyDescriptor(target, "name")?.value;
  return typeof name === "string" ? name : "";
}

function baseOf(target: AnyClass): AnyClass | undefined {
  const base: unknown = Object.getPrototypeOf(target);
  if (typeof base === "function" && !isRootFunction(base)) return base;
  const prototype: unknown = Object.getOwnPropertyDescriptor(target, "prototype")?.value;
  if (typeof prototype !== "object" || prototype === null) return undefined;
  const above: unknown = Object.getPrototypeOf(prototype);
  if (typeof above !== "object" || above === null || Object.getPrototypeOf(above) === null) return undefined;
  const maker: unknown = Object.getOwnPropertyDescriptor(above, "constructor")?.value;
  return typeof maker === "function" && maker !== target ? maker : undefined;
}

/** `Function.prototype`, of any realm. */
function isRootFunction(value: AnyClass): boolean {
  const above: unknown = Object.getPrototypeOf(value);
  return above !== null && Object.getPrototypeOf(above) === null && !Object.hasOwn(value, "prototype");
}
