/**
 * What one object holds at this moment, one level deep, as a list in which a name and a value take turns. Two lists of one
 * object tell whether somebody has written to it in between. No accessor is called: apps count their calls, too. Of a
 * proxy the target is known.
 */
import { EventEmitter } from "node:events";
import { withoutProxies } from "../../src/common/proxy-targets.js";
import {
  entriesOfMap,
  hasOwn,
  inherits,
  isArray,
  isMap,
  isProxy,
  isSet,
  ownDescriptor,
  ownKeys,
  ownValue,
  prototypeOf,
  sizeOfMap,
  sizeOfSet,
  valuesOfSet,
} from "../../src/common/untouched.js";
import { globalDescriptor } from "../ledger/global-descriptor.js";

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
  if (isProxy(value)) {
    const target = withoutProxies(value);
    return target && ["[[Target]]", target];
  }
  if (typeof value === "function") return slotsOfFunction(value, surroundings);
  if (isArray(value)) return slotsOfArray(value);
  if (isMap(value)) return slotsOfMap(value);
  if (isSet(value)) return slotsOfSet(value);
  if (!isOpaque(value, surroundings)) return slotsOfProperties(value, surroundings);
  return undefined;
}

/**
 * The same for what a package exports: collections, own properties of functions, instances and namespaces. Undefined for
 * what lives a life of its own.
 */
export function slotsOfCollection(value: object): Slots | undefined {
  if (isProxy(value)) return undefined;
  if (isArray(value)) return slotsOfArray(value);
  if (isMap(value)) return slotsOfMap(value);
  if (isSet(value)) return slotsOfSet(value);
  if (typeof value === "function") return slotsOfProperties(value, OF_PACKAGES, OF_EVERY_FUNCTION);
  if (isEmitter(value) || ArrayBuffer.isView(value)) return undefined;
  const made = constructorOf(value);
  if (made !== undefined && made !== Object && isGlobal(made)) return undefined;
  return slotsOfProperties(value, OF_PACKAGES);
}

export function isCollection(value: object): boolean {
  return isArray(value) || isMap(value) || isSet(value);
}

/** An instance of a class that the app did not write: what it works out lazily and keeps is nobody's writing. */
export function isLibraryInstance(value: object, surroundings: Surroundings): boolean {
  if (isCollection(value) || typeof value === "function") return false;
  const made = constructorOf(value);
  return made !== undefined && made !== Object && !surroundings.isOwnClass(made);
}

/** The function that made it, by its prototype; undefined without one. */
export function constructorOf(value: object): object | undefined {
  const prototype: unknown = prototypeOf(value);
  if (typeof prototype !== "object" || prototype === null) return undefined;
  const made: unknown = ownValue(prototype, "constructor");
  return typeof made === "function" ? made : undefined;
}

/** An object's own properties, accessors unasked, without those that `skip` names. */
function slotsOfProperties(value: object, surroundings: Pick<Surroundings, "privateFields">, skip = NOTHING): Slots {
  const slots: unknown[] = [];
  for (const key of ownKeys(value)) {
    if (skip.has(key)) continue;
    const property = ownDescriptor(value, key);
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
  if (prototypeOf(value) !== Function.prototype) {
    if (!surroundings.isOwnClass(value) || surroundings.isAdapted(value)) return undefined;
  }
  // Most functions hold nothing, and to ask one for its prototype would make one.
  if (Object.keys(value).length === 0 && !mayBeClass(value)) return undefined;
  const slots = slotsOfProperties(value, surroundings, OF_EVERY_FUNCTION);
  const prototype: unknown = ownValue(value, "prototype");
  if (typeof prototype !== "object" || prototype === null || ownKeys(prototype).length < 2) return slots;
  return [...slots, "prototype", prototype];
}

function mayBeClass(value: object): boolean {
  const name: unknown = ownValue(value, "name");
  // No regular expression: modules are loaded while V8's cache of them is off (runtime/script.ts).
  return typeof name !== "string" || (name >= "A" && name < "[");
}

function slotsOfArray(value: readonly unknown[]): Slots {
  const slots: unknown[] = ["length", value.length];
  for (let index = 0; index < value.length && index < ENTRIES; index++) {
    // An element may have a getter, and a hole one further up.
    const element = ownDescriptor(value, index);
    slots.push(index, element && !("value" in element) ? ACCESSOR : element?.value);
  }
  return slots;
}

function slotsOfMap(value: object): Slots {
  const slots: unknown[] = ["size", sizeOfMap(value)];
  for (const [key, entry] of entriesOfMap(value, ENTRIES)) slots.push(key, entry);
  return slots;
}

function slotsOfSet(value: object): Slots {
  const slots: unknown[] = ["length", sizeOfSet(value)];
  for (const [index, entry] of valuesOfSet(value, ENTRIES).entries()) slots.push(index, entry);
  return slots;
}

/** Objects that change by themselves, or whose insides are not an app's business. */
function isOpaque(value: object, surroundings: Surroundings): boolean {
  const prototype: unknown = prototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return hasOwn(value, Symbol.toStringTag);
  // What is registered there is taken out again one by one, so that the app's connections can stay.
  if (surroundings.isAdapted(value)) return true;
  const made = constructorOf(value);
  if (made === undefined || made === EventEmitter) return false;
  if (surroundings.isOwnClass(made)) return false;
  // A library's emitter (a connection, a client, a pool) lives a life of its own; its listeners are the ledger's.
  if (isEmitter(value) || ArrayBuffer.isView(value)) return true;
  return NODES_OWN.has(ownValue(made, "name")) || isGlobal(made);
}

function isEmitter(value: object): boolean {
  return inherits(value, EventEmitter.prototype);
}

/** A class that stands on globalThis under its own name. */
function isGlobal(made: object): boolean {
  const name = ownValue(made, "name");
  return typeof name === "string" && globalDescriptor(name)?.value === made;
}

/** Classes of Node that are neither global nor emitters. */
const NODES_OWN: ReadonlySet<unknown> = new Set([
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
