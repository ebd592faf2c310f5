/** What most adapters need: to see what a call adds to a library's collections, and to take it out again. */
import type { AdapterContext } from "../../src/common/protocol/adapter.js";

/** Where a library keeps what is registered. A plain object counts by its own keys. */
export type Collection = unknown[] | Map<unknown, unknown> | Set<unknown> | Record<string, unknown>;

export interface Registrations<Self> {
  /** In words, for messages: "passport strategy". */
  readonly what: string;
  readonly methods: readonly string[];
  /** Read before and after each call, and again at the purge: a library may replace them. */
  collections(self: Self): readonly (Collection | undefined)[];
  /** Something was taken out again: what else the library has made of it. */
  removed?(self: Self, key: unknown, value: unknown): void;
}

/**
 * Wraps methods of `target`, so that what a call adds to the collections of its object goes when the file that made the
 * call is purged: array elements by identity, keys while they still have the value that they were given. A value that was
 * replaced comes back, unless it was of a file that is gone as well.
 */
export function watchRegistrations<Self>(
  target: unknown,
  { what, methods, collections, removed }: Registrations<Self>,
  context: AdapterContext,
): void {
  for (const method of methods) {
    context.wrap(
      target,
      method,
      (original) =>
        function (this: Self, ...args) {
          if (context.owner === undefined) return original.apply(this, args);
          const before = collections(this).map(entriesOf);
          const result: unknown = original.apply(this, args);
          for (const [index, collection] of collections(this).entries()) {
            for (const [key, value] of additions(before[index] ?? new Map(), entriesOf(collection))) {
              context.record(what, () => {
                remove(collections(this)[index], key, value);
                removed?.(this, key, value);
              });
            }
          }
          return result;
        },
    );
  }
}

/** Key and value; elements of arrays and sets are both. */
function entriesOf(collection: Collection | undefined): Map<unknown, unknown> {
  if (collection === undefined) return new Map();
  if (collection instanceof Map) return new Map(collection);
  if (collection instanceof Set || Array.isArray(collection)) {
    return new Map([...collection].map((element) => [element, element]));
  }
  return new Map(Object.entries(collection));
}

function additions(before: ReadonlyMap<unknown, unknown>, after: ReadonlyMap<unknown, unknown>): [unknown, unknown][] {
  return [...after].filter(([key, value]) => !before.has(key) || before.get(key) !== value);
}

function remove(collection: Collection | undefined, key: unknown, value: unknown): void {
  if (Array.isArray(collection)) {
    const at = collection.indexOf(key);
    if (at >= 0) collection.splice(at, 1);
  } else if (collection instanceof Map) {
    if (collection.get(key) === value) collection.delete(key);
  } else if (collection instanceof Set) {
    collection.delete(key);
  } else if (collection && collection[String(key)] === value) {
    delete collection[String(key)];
  }
}

/**
 * Takes out of metadata collections what is kept for purged classes: elements one of whose `fields` is such a class (or its
 * prototype), keys that are, and the same in lists and maps that are values. Emptied values go, too.
 */
export function forgetClasses(
  collection: unknown,
  classes: ReadonlySet<unknown>,
  fields: readonly string[] = ["target"],
): void {
  const isPurged = (value: unknown): boolean => classes.has(value) || classes.has(constructorOf(value));
  const concerns = (entry: unknown): boolean =>
    isPurged(entry) || (isObject(entry) && fields.some((field) => isPurged(Reflect.get(entry, field))));
  if (Array.isArray(collection)) {
    for (let at = collection.length - 1; at >= 0; at--) if (concerns(collection[at])) collection.splice(at, 1);
  } else if (collection instanceof Set) {
    for (const entry of collection) if (concerns(entry)) collection.delete(entry);
  } else if (collection instanceof Map) {
    for (const [key, value] of collection) {
      if (concerns(key) || concerns(value)) collection.delete(key);
      else if (Array.isArray(value) || value instanceof Map || value instanceof Set) {
        forgetClasses(value, classes, fields);
        if ((Array.isArray(value) ? value.length : value.size) === 0) collection.delete(key);
      }
    }
  }
}

function constructorOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "constructor")
    ? Reflect.get(value, "constructor")
    : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
