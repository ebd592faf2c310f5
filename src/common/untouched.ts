/**
 * Looks at objects of the app without running any of its code: no getter, no trap of a proxy, no method or iterator that
 * a class has put in the place of the language's. Nothing here throws. What can only be told by running something is
 * answered as if it were not there.
 *
 * The functions of the language are taken when this file is loaded, before the app can replace them.
 */
import { types } from "node:util";

const { isProxy, isMap, isSet } = types;
const { apply, ownKeys: ownKeysOf } = Reflect;
const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const functionToString = Function.prototype.toString as () => string;
const mapSize = getterOf(Map.prototype, "size");
const setSize = getterOf(Set.prototype, "size");
const { entries: mapEntries, get: mapGet, set: mapSet, delete: mapDelete } = Map.prototype;
const { values: setValues, add: setAdd, delete: setDelete } = Set.prototype;
const nextOfMap = nextOf(new Map().entries());
const nextOfSet = nextOf(new Set().values());

export { isMap, isProxy, isSet };

/** An object or a function, proxies included. */
export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** False for the proxy of an array: whether it is one, a revoked proxy answers by an error. */
export function isArray(value: unknown): value is readonly unknown[] {
  return !isProxy(value) && Array.isArray(value);
}

/** Undefined: it has none, or it is a proxy, or an export that is not initialised yet. */
export function ownDescriptor(object: object, key: PropertyKey): PropertyDescriptor | undefined {
  if (isProxy(object)) return undefined;
  // An error's stack is worked out when it is first looked at, from its name and its message.
  if (key === "stack" && types.isNativeError(object)) return undefined;
  try {
    return getOwnPropertyDescriptor(object, key);
  } catch (error) {
    // A namespace of Node's shows no property whose declaration has not run.
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

/** The value of an own property that is no accessor. */
export function ownValue(object: object, key: PropertyKey): unknown {
  return ownDescriptor(object, key)?.value;
}

export function hasOwn(object: object, key: PropertyKey): boolean {
  return !isProxy(object) && Object.hasOwn(object, key);
}

/** Strings first, as the language orders them; none of a proxy. */
export function ownKeys(object: object): (string | symbol)[] {
  return isProxy(object) ? [] : ownKeysOf(object);
}

/** Names of own enumerable properties; none of a proxy. Accessors are not asked. */
export function enumerableNames(object: object): string[] {
  if (isProxy(object)) return [];
  return types.isModuleNamespaceObject(object)
    ? ownKeysOf(object).filter((key) => typeof key === "string")
    : Object.keys(object);
}

/** Null for a proxy, too. */
export function prototypeOf(object: object): object | null {
  return isProxy(object) ? null : getPrototypeOf(object);
}

/** What it inherits from, nearest first, up to the first proxy. */
export function* prototypesOf(object: object): Generator<object> {
  for (let at = prototypeOf(object); at !== null; at = prototypeOf(at)) yield at;
}

/** Whether a read of what it has not itself may end in a trap. */
export function inheritsFromProxy(object: object): boolean {
  for (
    let at = isProxy(object) ? null : getPrototypeOf(object);
    at !== null;
    at = getPrototypeOf(at) as object | null
  ) {
    if (isProxy(at)) return true;
  }
  return false;
}

/** As `instanceof` of a class that does not define it in its own way. */
export function inherits(object: object, prototype: object): boolean {
  for (const at of prototypesOf(object)) if (at === prototype) return true;
  return false;
}

/** The property that a read would find, inherited ones included. */
export function findDescriptor(object: object, key: PropertyKey): PropertyDescriptor | undefined {
  const own = ownDescriptor(object, key);
  if (own) return own;
  for (const at of prototypesOf(object)) {
    const inherited = ownDescriptor(at, key);
    if (inherited) return inherited;
  }
  return undefined;
}

/** The value that a read would give without running anything. */
export function foundValue(object: object, key: PropertyKey): unknown {
  return findDescriptor(object, key)?.value;
}

/** The text of a function, whatever its own `toString` says. */
export function textOf(made: object): string {
  return apply(functionToString, made, []);
}

/** Entries, whatever the class of the map. */
export function sizeOfMap(map: object): number {
  return apply(mapSize, map, []) as number;
}

export function sizeOfSet(set: object): number {
  return apply(setSize, set, []) as number;
}

export function valueInMap(map: object, key: unknown): unknown {
  return apply(mapGet, map, [key]);
}

export function putIntoMap(map: object, key: unknown, value: unknown): void {
  apply(mapSet, map, [key, value]);
}

export function putIntoSet(set: object, value: unknown): void {
  apply(setAdd, set, [value]);
}

export function deleteFromMap(map: object, key: unknown): void {
  apply(mapDelete, map, [key]);
}

export function deleteFromSet(set: object, value: unknown): void {
  apply(setDelete, set, [value]);
}

/** At most `limit` of them, in their order. */
export function entriesOfMap(map: object, limit: number): (readonly [unknown, unknown])[] {
  return take<readonly [unknown, unknown]>(apply(mapEntries, map, []), nextOfMap, limit);
}

/** At most `limit` of them, in their order. */
export function valuesOfSet(set: object, limit: number): unknown[] {
  return take(apply(setValues, set, []), nextOfSet, limit);
}

function take<Item>(iterator: object, next: AnyMethod, limit: number): Item[] {
  const items: Item[] = [];
  while (items.length < limit) {
    const { done, value } = apply(next, iterator, []) as IteratorResult<Item>;
    if (done) break;
    items.push(value);
  }
  return items;
}

type AnyMethod = (this: unknown, ...args: unknown[]) => unknown;

function getterOf(prototype: object, name: string): AnyMethod {
  return getOwnPropertyDescriptor(prototype, name)?.get as AnyMethod;
}

function nextOf(iterator: object): AnyMethod {
  return Reflect.get(iterator, "next") as AnyMethod;
}
