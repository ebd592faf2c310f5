/**
 * What one object holds at this moment, one level deep, as a list in which a name and a value take turns. Two lists of one
 * object tell whether somebody has written to it in between. No accessor is called: apps count their calls, too.
 */
import { EventEmitter } from "node:events";

export type Slots = readonly unknown[];

/** What has to be known of an app to look at its objects. */
export interface Surroundings {
  /** A class or constructor function of the app's own. */
  isOwnClass(made: object): boolean;
  /** What a package or Node exports: nothing of the app's. */
  isForeign(value: object): boolean;
  /** An instance of a library that an adapter looks after, or a class that descends from one of such a library. */
  isAdapted(value: object): boolean;
  /** Values of an object's `#private` fields; undefined when it has none, or none that can be read. */
  privateFields(value: object): readonly unknown[] | undefined;
}

/** Stands for a property that has a getter: what it would give is not asked. */
export const ACCESSOR = Symbol("accessor");
/** Stands for a binding that is not initialised yet. */
export const UNINITIALISED = Symbol("uninitialised");

/** Of a larger collection only its size and this many entries are compared. */
const ENTRIES = 1000;

/** Undefined for what holds no state of modules: primitives in objects' clothes, Node's own objects, packages. */
export function slotsOf(value: object, surroundings: Surroundings): Slots | undefined {
  if (surroundings.isForeign(value)) return undefined;
  if (typeof value === "function") return slotsOfFunction(value, surroundings);
  if (Array.isArray(value)) return slotsOfArray(value);
  if (value instanceof Map) return slotsOfMap(value);
  if (value instanceof Set) return slotsOfArray([...first(value)], value.size);
  if (!isOpaque(value, surroundings)) return slotsOfProperties(value, surroundings);
  return undefined;
}

/**
 * The same for what a package exports: collections, own properties of functions, instances and namespaces. Undefined for
 * what lives a life of its own.
 */
export function slotsOfCollection(value: object): Slots | undefined {
  if (Array.isArray(value)) return slotsOfArray(value);
  if (value instanceof Map) return slotsOfMap(value);
  if (value instanceof Set) return slotsOfArray([...first(value)], value.size);
  if (typeof value === "function") return slotsOfProperties(value, OF_PACKAGES, OF_EVERY_FUNCTION);
  if (value instanceof EventEmitter || ArrayBuffer.isView(value)) return undefined;
  const made = constructorOf(value);
  const name: unknown = made && Reflect.get(made, "name");
  if (typeof name === "string" && made !== Object && Reflect.get(globalThis, name) === made) return undefined;
  return slotsOfProperties(value, OF_PACKAGES);
}

export function isCollection(value: object): boolean {
  return Array.isArray(value) || value instanceof Map || value instanceof Set;
}

/** An instance of a class that the app did not write: what it works out lazily and keeps is nobody's writing. */
export function isLibraryInstance(value: object, surroundings: Surroundings): boolean {
  if (isCollection(value) || typeof value === "function") return false;
  const made = constructorOf(value);
  return made !== undefined && made !== Object && !surroundings.isOwnClass(made);
}

/** The function that made it, by its prototype; undefined without one. */
export function constructorOf(value: object): object | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== "object" || prototype === null) return undefined;
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof made === "function" ? made : undefined;
}

/** An object's own properties, accessors unasked, without those that `skip` names. */
export function slotsOfProperties(
  value: object,
  surroundings: Pick<Surroundings, "privateFields">,
  skip = NOTHING,
): Slots {
  const slots: unknown[] = [];
  for (const key of Reflect.ownKeys(value)) {
    if (skip.has(key)) continue;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property) slots.push(key, "value" in property ? property.value : ACCESSOR);
    if (slots.length > ENTRIES * 2) break;
  }
  const fields = surroundings.privateFields(value);
  if (fields) for (const [index, field] of fields.entries()) slots.push(`#${index}`, field);
  return slots;
}

const OF_PACKAGES: Pick<Surroundings, "privateFields"> = { privateFields: () => undefined };
const NOTHING: ReadonlySet<PropertyKey> = new Set();
const OF_EVERY_FUNCTION: ReadonlySet<PropertyKey> = new Set(["length", "name", "prototype", "arguments", "caller"]);

function slotsOfFunction(value: object, surroundings: Surroundings): Slots | undefined {
  // A class that extends another one has that one for its prototype. Packages make functions with such prototypes, too.
  if (Object.getPrototypeOf(value) !== Function.prototype) {
    if (!surroundings.isOwnClass(value) || surroundings.isAdapted(value)) return undefined;
  }
  // Most functions hold nothing, and to ask one for its prototype would make one.
  if (Object.keys(value).length === 0 && !mayBeClass(value)) return undefined;
  const slots = slotsOfProperties(value, surroundings, OF_EVERY_FUNCTION);
  const prototype: unknown = Object.getOwnPropertyDescriptor(value, "prototype")?.value;
  if (typeof prototype !== "object" || prototype === null || Reflect.ownKeys(prototype).length < 2) return slots;
  return [...slots, "prototype", prototype];
}

function mayBeClass(value: object): boolean {
  const name: unknown = Object.getOwnPropertyDescriptor(value, "name")?.value;
  // No regular expression: modules are loaded while V8's cache of them is off (runtime/script.ts).
  return typeof name !== "string" || (name >= "A" && name < "[");
}

function slotsOfArray(value: readonly unknown[], size = value.length): Slots {
  const slots: unknown[] = ["length", size];
  for (let index = 0; index < value.length && index < ENTRIES; index++) slots.push(index, value[index]);
  return slots;
}

function slotsOfMap(value: ReadonlyMap<unknown, unknown>): Slots {
  const slots: unknown[] = ["size", value.size];
  for (const [key, entry] of first(value)) slots.push(key, entry);
  return slots;
}

function* first<T>(entries: Iterable<T>): Iterable<T> {
  let count = 0;
  for (const entry of entries) {
    if (count++ === ENTRIES) return;
    yield entry;
  }
}

/** Objects that change by themselves, or whose insides are not an app's business. */
function isOpaque(value: object, surroundings: Surroundings): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return Symbol.toStringTag in value;
  // What is registered there is taken out again one by one, so that the app's connections can stay.
  if (surroundings.isAdapted(value)) return true;
  const made = constructorOf(value);
  if (made === undefined || made === EventEmitter) return false;
  if (surroundings.isOwnClass(made)) return false;
  const { name } = made as { name: string };
  // A library's emitter (a connection, a client, a pool) lives a life of its own; its listeners are the ledger's.
  if (value instanceof EventEmitter || ArrayBuffer.isView(value)) return true;
  return NODES_OWN.has(name) || Reflect.get(globalThis, name) === made;
}

/** Classes of Node that are neither global nor emitters. */
const NODES_OWN: ReadonlySet<string> = new Set([
  "Agent",
  "AsyncHook",
  "AsyncLocalStorage",
  "AsyncResource",
  "Cipheriv",
  "Hash",
  "Hmac",
  "Immediate",
  "Module",
  "ModuleWrap",
  "PerformanceObserver",
  "Resolver",
  "SecureContext",
  "StatementSync",
  "Timeout",
]);
