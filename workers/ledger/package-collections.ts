/** The collections that a package exports, to a small depth: where own modules may register something. */
import { reach } from "../state/reach.js";
import { type Slots, slotsOfCollection } from "../state/slots.js";

export type Collection = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | object;

/** Steps from the exports, and collections of one package. */
const BOUNDS = { depth: 3, objects: 100 };
/** A larger one is a table of data. */
const ENTRIES = 300;

/** Arrays, maps, sets, plain objects; instances and functions are looked into, and their properties compared too. */
export function collectionsOf(exports: unknown): Collection[] {
  const found = reach(["exports", exports], BOUNDS, (object) => {
    const slots = slotsOfCollection(object);
    return slots && slots.length <= ENTRIES * 2 ? slots : undefined;
  });
  return found.map(({ object }) => object).filter((object) => !Object.isFrozen(object) && !isNamespace(object));
}

/** What shows quickly that something was added or taken out. */
export function sizeOf(collection: Collection): number {
  if (Array.isArray(collection)) return collection.length;
  if (collection instanceof Map || collection instanceof Set) return collection.size;
  return Object.keys(collection).length;
}

/** An entry that a module has put into a collection. */
export interface Added {
  readonly key: unknown;
  readonly value: unknown;
}

/** Entries of `after` that `before` did not have; those of an array by their value, wherever they stand. */
export function addedBetween(collection: Collection, before: Slots, after: Slots): Added[] {
  const isList = Array.isArray(collection) || collection instanceof Set;
  const old = new Set<unknown>();
  for (let index = 0; index < before.length; index += 2) old.add(before[isList ? index + 1 : index]);
  const added: Added[] = [];
  for (let index = 0; index < after.length; index += 2) {
    if (!isList && old.has(after[index])) continue;
    if (isList && (old.has(after[index + 1]) || index === 0)) continue;
    added.push({ key: after[index], value: after[index + 1] });
  }
  return added.filter(({ key }) => key !== "size" || !(collection instanceof Map));
}

/** Takes an entry out again, if it is still there. Throws a TypeError when the collection does not let it go. */
export function takeOut(collection: Collection, { key, value }: Added): void {
  if (Array.isArray(collection)) {
    const index = collection.lastIndexOf(value);
    if (index >= 0) collection.splice(index, 1);
  } else if (collection instanceof Map) {
    if (Object.is(collection.get(key), value)) collection.delete(key);
  } else if (collection instanceof Set) {
    collection.delete(value);
  } else {
    const name = key as PropertyKey;
    if (!Object.is(Object.getOwnPropertyDescriptor(collection, name)?.value, value)) return;
    if (!Reflect.deleteProperty(collection, name)) throw new TypeError(`property ${String(name)} is fixed`);
  }
}

function isNamespace(object: object): boolean {
  return Object.getPrototypeOf(object) === null && Symbol.toStringTag in object;
}
