/** The collections that a package exports, to a small depth: where own modules may register something. */

import {
  deleteFromMap,
  deleteFromSet,
  enumerableNames,
  hasOwn,
  isArray,
  isMap,
  isObject,
  isSet,
  ownDescriptor,
  ownValue,
  prototypeOf,
  putIntoMap,
  putIntoSet,
  sizeOfMap,
  sizeOfSet,
  valueInMap,
} from "../../src/common/untouched.js";
import { reach } from "../written/reach.js";
import { type Slots, slotsOfCollection } from "../written/slots.js";

export type Collection = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | object;

/** Steps from the exports, and collections of one package. */
const BOUNDS = { depth: 3, objects: 100 };
/** A larger one is a table of data. */
const ENTRIES = 700;

/**
 * Arrays, maps, sets, plain objects; instances and functions are looked into, and their properties compared too. (Most functions
 * have none, and nobody puts one on them but on what a package is.)
 */
export function collectionsOf(exports: unknown): Collection[] {
  const main: unknown = isObject(exports) ? ownValue(exports, "default") : undefined;
  const found = reach(["exports", exports], BOUNDS, (object) => {
    const slots = slotsOfCollection(object);
    if (!slots || slots.length > ENTRIES * 2) return undefined;
    return slots.length > 0 || typeof object !== "function" || object === exports || object === main
      ? slots
      : undefined;
  });
  return found.map(({ object }) => object).filter((object) => !Object.isFrozen(object) && !isNamespace(object));
}

/** What shows quickly that something was added or taken out. */
export function sizeOf(collection: Collection): number {
  if (isArray(collection)) return collection.length;
  if (isMap(collection)) return sizeOfMap(collection);
  if (isSet(collection)) return sizeOfSet(collection);
  return enumerableNames(collection).length;
}

/** An entry that a module has put into a collection. */
export interface Added {
  readonly key: unknown;
  readonly value: unknown;
}

/** Entries of `after` that `before` did not have; those of an array by their value, wherever they stand. */
export function addedBetween(collection: Collection, before: Slots, after: Slots): Added[] {
  const isList = isArray(collection) || isSet(collection);
  const old = new Set<unknown>();
  for (let index = 0; index < before.length; index += 2) old.add(before[isList ? index + 1 : index]);
  const added: Added[] = [];
  for (let index = 0; index < after.length; index += 2) {
    if (!isList && old.has(after[index])) continue;
    if (isList && (old.has(after[index + 1]) || index === 0)) continue;
    added.push({ key: after[index], value: after[index + 1] });
  }
  return added.filter(({ key }) => key !== "size" || !isMap(collection));
}

/** Takes an entry out again, if it is still there. Throws a TypeError when the collection does not let it go. */
export function takeOut(collection: Collection, { key, value }: Added): void {
  if (isArray(collection)) {
    takeOutOfArray(collection as unknown[], value);
  } else if (isMap(collection)) {
    if (Object.is(valueInMap(collection, key), value)) deleteFromMap(collection, key);
  } else if (isSet(collection)) {
    deleteFromSet(collection, value);
  } else {
    const name = key as PropertyKey;
    if (!Object.is(ownValue(collection, name), value)) return;
    if (!Reflect.deleteProperty(collection, name)) throw new TypeError(`property ${String(name)} is fixed`);
  }
}

/**
 * The entries behind one, nearest first: by key, of lists by value. Undefined when it is not there, or nobody asks for the order.
 */
export function behind(collection: Collection, added: Added): readonly unknown[] | undefined {
  const names = entryNames(collection);
  const at = names?.lastIndexOf(entryName(collection, added)) ?? -1;
  return at < 0 ? undefined : names?.slice(at + 1);
}

/** Moves an entry in front of the first of `behind` that is still there. */
export function moveInFrontOf(collection: Collection, added: Added, behind: readonly unknown[]): void {
  const names = entryNames(collection);
  if (!names) return;
  const name = entryName(collection, added);
  const from = names.lastIndexOf(name);
  const next = behind.find((each) => names.includes(each));
  const to = next === undefined ? -1 : names.indexOf(next);
  if (from < 0 || to < 0 || to > from) return;
  if (isArray(collection)) moveInArray(collection as unknown[], from, to);
  else for (const each of names.slice(to)) if (!Object.is(each, name)) moveToEnd(collection, each);
}

/** What an entry is known by: its key, or, in lists and sets, itself. */
export const entryName = (collection: Collection, { key, value }: Added): unknown =>
  isArray(collection) || isSet(collection) ? value : key;

/** Undefined where the order is nobody's business: properties of functions and instances, tables of numbers. */
function entryNames(collection: Collection): unknown[] | undefined {
  const slots = slotsOfCollection(collection) ?? [];
  const part = isArray(collection) || isSet(collection) ? 1 : 0;
  const names = slots.filter((_, index) => index % 2 === part);
  if (isArray(collection) || isSet(collection) || isMap(collection)) return names.slice(1);
  const prototype = prototypeOf(collection);
  return prototype === null || prototype === Object.prototype ? names : undefined;
}

function moveInArray(array: unknown[], from: number, to: number): void {
  const value = ownValue(array, from);
  for (let at = from; at > to; at--) array[at] = ownValue(array, at - 1);
  array[to] = value;
}

function moveToEnd(collection: Collection, name: unknown): void {
  if (isMap(collection)) {
    const value = valueInMap(collection, name);
    deleteFromMap(collection, name);
    putIntoMap(collection, name, value);
  } else if (isSet(collection)) {
    deleteFromSet(collection, name);
    putIntoSet(collection, name);
  } else {
    const property = ownDescriptor(collection, name as PropertyKey);
    if (!property?.configurable) return;
    Reflect.deleteProperty(collection, name as PropertyKey);
    Reflect.defineProperty(collection, name as PropertyKey, property);
  }
}

/** The last one. By hand: `splice` asks the class of the array for another array. */
function takeOutOfArray(array: unknown[], value: unknown): void {
  let index = array.length - 1;
  while (index >= 0 && !(hasOwn(array, index) && Object.is(ownValue(array, index), value))) index--;
  if (index < 0) return;
  for (let at = index + 1; at < array.length; at++) array[at - 1] = ownValue(array, at);
  array.length--;
}

function isNamespace(object: object): boolean {
  return prototypeOf(object) === null && hasOwn(object, Symbol.toStringTag);
}
