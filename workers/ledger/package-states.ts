/**
 * What own modules have left in packages by statements that their new versions do not have any more: a setting, a plugin, a
 * rule. The ledger takes back what it has seen being registered; for the rest the state of the package is compared: as it
 * was before any own module that has such statements was evaluated, before a plan, and after it. What has changed since the
 * beginning and stays the same across the plan is left behind, and only a fresh thread is free of it.
 */
import type { PackageStatement } from "../../src/common/compile/package-statements.js";
import type { DroppedStatement } from "../../src/common/protocol/orders.js";
import {
  enumerableNames,
  isArray,
  isMap,
  isObject,
  isProxy,
  isSet,
  ownDescriptor,
  ownKeys,
  textOf,
} from "../../src/common/untouched.js";
import { reach } from "../written/reach.js";
import { constructorOf, type Slots, slotsOfCollection } from "../written/slots.js";
import { builtinFunctions, loadedBuiltins } from "./builtins.js";
import { exportedValue } from "./exported-value.js";
import { type ScopeVariable, scopeVariablesOf, variablesBehind } from "./package-scopes.js";

export interface PackageStatesOptions {
  /** Statements of a file that do something to packages. */
  touches(file: string): readonly PackageStatement[];
  /** The text of an own file as it is evaluated. */
  bodyOf(file: string): string | undefined;
  /** Whether the text of a function is in a module that is loaded now. */
  isCurrent(text: string): boolean;
}

/** What was left, and where. */
export interface LeftInPackage {
  readonly file: string;
  readonly what: string;
}

/** Object -> what it held, by name; variables are held by none. */
type State = ReadonlyMap<object | undefined, ReadonlyMap<unknown, unknown>>;

/** With the text of the module that had it. */
interface Dropped extends DroppedStatement {
  readonly body: string;
}

const BOUNDS = { depth: 5, objects: 250 };
/** Names that an app makes up for ever are not followed. */
const MOST_TARGETS = 50;
/** Functions behind one that a statement calls. */
const BEHIND = 6;
/** Steps and objects from a value to what shows where it comes from. */
const ORIGIN = { depth: 3, objects: 50 };
/** Of one object: a larger one is a table of data. */
const ENTRIES = 1500;
/** Characters of a literal that is hardly there by accident. */
const TELLING = 2;
/** What data is made of. */
const PLAIN: ReadonlySet<unknown> = new Set([Object, RegExp]);
/** Listeners are the ledger's. */
const NOT_COMPARED: ReadonlySet<unknown> = new Set(["_events", "_eventsCount"]);

export class PackageStates {
  readonly #options: PackageStatesOptions;
  /** Package -> its exports that own modules have got: of its main file, and of others in it. */
  readonly #exports = new Map<string, Set<object>>();
  /** Package -> what statements of own modules call or write to in it. */
  readonly #touched = new Map<string, Set<string>>();
  /** Exports of touched packages -> what they were. */
  readonly #beginnings = new Map<object, Map<object | undefined, Map<unknown, unknown>>>();
  #dropped: readonly Dropped[] = [];
  /** Exports of the packages of `#dropped` -> the package, and what they were before the plan. */
  readonly #before = new Map<object, { readonly name: string; readonly before: State }>();

  constructor(options: PackageStatesOptions) {
    this.#options = options;
  }

  /** An own module has got exports of a package. */
  handedOver(exports: unknown, packageName: string): void {
    if (!isObject(exports) || isProxy(exports)) return;
    const known = this.#exports.get(packageName) ?? new Set();
    this.#exports.set(packageName, known.add(exports));
    if (this.#touched.has(packageName)) this.#begin(exports, packageName);
  }

  /** The evaluation of a file begins. */
  entering(file: string): void {
    for (const { of, target } of this.#options.touches(file)) {
      const name = packageNameOf(of);
      const targets = this.#touched.get(name) ?? new Set();
      if (targets.has(target) || targets.size >= MOST_TARGETS) continue;
      this.#touched.set(name, targets.add(target));
      for (const exports of this.#exports.get(name) ?? []) this.#begin(exports, name);
    }
  }

  /**
   * Whether an entry that a package has made while a file was evaluated is plain data from one of the file's statements, as a
   * rule is that it gives: nothing that the package works with for itself.
   */
  isDataOf(file: string, entry: object): boolean {
    const texts = this.#options.touches(file).map(({ text }) => text);
    if (texts.length === 0) return false;
    const parts = partsOf(entry).slice(1);
    const isPlain = parts.every((part) => !isObject(part) || isArray(part) || PLAIN.has(constructorOf(part)));
    const text = texts.join("\n");
    return isPlain && parts.some((part) => isLiteralOf({ text, present: "", isChanged: false }, part));
  }

  /** A plan is going to purge modules that have these statements. */
  planned(dropped: readonly DroppedStatement[]): void {
    this.#dropped = dropped.map((one) => ({ ...one, body: this.#options.bodyOf(one.file) ?? "" }));
    this.#before.clear();
    for (const { of } of dropped) {
      const name = packageNameOf(of);
      for (const exports of this.#exports.get(name) ?? []) {
        if (this.#beginnings.has(exports) && !this.#before.has(exports))
          this.#before.set(exports, { name, before: this.#stateOf(exports, name) });
      }
    }
  }

  /** The plan has been applied. */
  left(): LeftInPackage | undefined {
    const dropped = this.#dropped;
    const states = [...this.#before];
    this.#dropped = [];
    this.#before.clear();
    for (const [exports, { name, before }] of states) {
      const left = leftBetween(this.#beginnings.get(exports), before, this.#stateOf(exports, name));
      for (const statement of dropped) {
        if (packageNameOf(statement.of) !== name || !left.some((entry) => this.#isOf(statement, entry))) continue;
        return { file: statement.file, what: `${statement.target} in the package ${name}` };
      }
    }
    return undefined;
  }

  /** What is known of the beginning stays: a statement that comes later may lead to more functions. */
  #begin(exports: object, name: string): void {
    const known = this.#beginnings.get(exports);
    const state = this.#stateOf(exports, name);
    if (!known) {
      this.#beginnings.set(exports, state);
      return;
    }
    // No objects: by now they may be of versions that are to be collected.
    const variables = known.get(undefined) ?? new Map<unknown, unknown>();
    for (const [key, value] of state.get(undefined) ?? []) {
      if (!isObject(value) && !variables.has(key)) variables.set(key, value);
    }
  }

  /** Whether what stays may be the doing of a statement that is gone: not that of one in its place, nor of others. */
  #isOf(statement: Dropped, [key, value]: Entry): boolean {
    const { isChanged } = statement;
    if (typeof key === "string" && key.length > 1 && isNamedBy(statement, key)) return true;
    if (typeof value === "string" || typeof value === "number") return isLiteralOf(statement, value);
    if (!isObject(value)) return !isChanged;
    const parts = partsOf(value);
    const isCurrent = parts.some((part) => typeof part === "function" && this.#options.isCurrent(textOf(part)));
    if (isCurrent || !isChanged) return !isCurrent;
    // What the package has made for itself when it was called is its own affair when it is called again.
    return parts.some((part) =>
      typeof part === "function" ? statement.body.includes(textOf(part)) : isLiteralOf(statement, part),
    );
  }

  #stateOf(exports: object, name: string): Map<object | undefined, Map<unknown, unknown>> {
    const foreign = new Set<unknown>([globalThis, process, ...loadedBuiltins()]);
    for (const others of this.#exports.values()) if (!others.has(exports)) for (const each of others) foreign.add(each);
    const variables = scopeVariablesOf(exports);
    for (const target of [...(this.#touched.get(name) ?? [])].sort()) {
      for (const { key, ...one } of variablesOfCall(exports, target))
        variables.push({ ...one, key: `${target} ${key}` });
    }
    const state = new Map<object | undefined, Map<unknown, unknown>>();
    const slots = (object: object): Slots | undefined => {
      if (isProxy(object) || foreign.has(object) || state.has(object)) return undefined;
      const entries = entriesOf(object);
      if (!entries || entries.size > ENTRIES) return undefined;
      state.set(object, entries);
      return [...entries].flat();
    };
    reach(["exports", exports], BOUNDS, slots);
    reach(
      variables.flatMap(({ key, value }) => (isObject(value) ? [key, value] : [])),
      BOUNDS,
      slots,
    );
    state.set(undefined, new Map(variables.map(({ key, value }) => [key, value])));
    return state;
  }
}

/** Name and value. */
type Entry = readonly [key: unknown, value: unknown];

/** What has changed since the beginning, and has not since `before`. */
function leftBetween(beginning: State | undefined, before: State, now: State): Entry[] {
  const left: Entry[] = [];
  for (const [holder, entries] of before) {
    // An object that there was not at the beginning is new with all that it holds.
    const [first, last] = [beginning?.get(holder), now.get(holder)];
    for (const [key, value] of entries) {
      // Of a variable that has come into sight since, nothing is known.
      if (holder === undefined && !first?.has(key)) continue;
      if (last && !Object.is(value, first?.get(key)) && Object.is(value, last.get(key))) left.push([key, value]);
    }
  }
  return left;
}

/** Whether a word of the statement, and of none of those that are there now. */
function isNamedBy({ text, present }: DroppedStatement, word: string): boolean {
  const pattern = new RegExp(`(?<![\\w$])${word.replace(/[^\w]/g, "\\$&")}(?![\\w$])`);
  return pattern.test(text) && !pattern.test(present);
}

/** Whether the text of the statement has it, and none of those that are there now. */
function isLiteralOf(
  { text, present, isChanged }: Pick<DroppedStatement, "text" | "present" | "isChanged">,
  value: unknown,
): boolean {
  if (typeof value !== "string" && typeof value !== "number") return false;
  // With another one in its place a count that happens to be the same says nothing.
  if (isChanged && String(value).length < TELLING) return false;
  const literal = String(value).replace(/\s+/g, "");
  return literal !== "" && text.includes(literal) && !present.includes(literal);
}

/** A value and what is in it, to a small depth. */
function partsOf(value: object): unknown[] {
  const parts: unknown[] = [value];
  reach(["", value], ORIGIN, (object) => {
    if (isProxy(object) || typeof object === "function") return undefined;
    const entries = entriesOf(object) ?? new Map<unknown, unknown>();
    // Names of properties are the code's, keys of a map are data.
    if (isMap(object)) parts.push(...entries.keys());
    parts.push(...entries.values());
    return [...entries].flat();
  });
  return parts;
}

/** What stands on a function: of a class also what its instances have in common. */
function namesOf(made: object): PropertyKey[] {
  const prototype = ownDescriptor(made, "prototype")?.value;
  const isClass = isObject(prototype) && !isProxy(prototype) && ownKeys(prototype).length > 1;
  return isClass ? [...enumerableNames(made), "prototype"] : enumerableNames(made);
}

/** What an object holds by name; of lists and sets each value by itself, wherever it stands. */
function entriesOf(object: object): Map<unknown, unknown> | undefined {
  const isList = isArray(object) || isSet(object);
  if (!isList && !isMap(object)) {
    const keys =
      typeof object === "function" ? namesOf(object) : ownKeys(object).filter((key) => !NOT_COMPARED.has(key));
    // Most functions have nothing on them.
    if (keys.length === 0 && typeof object === "function") return undefined;
    const valueAt = (key: PropertyKey) => exportedValue(object, key) ?? ownDescriptor(object, key)?.get;
    return keys.length > ENTRIES ? undefined : new Map(keys.map((key) => [key, valueAt(key)]));
  }
  const slots = slotsOfCollection(object) ?? [];
  const entries = new Map<unknown, unknown>();
  // How many there are comes first.
  for (let index = 2; index < slots.length; index += 2) {
    entries.set(slots[isList ? index + 1 : index], slots[index + 1]);
  }
  return entries;
}

/** Variables that the function which a statement calls can write to, and those behind the functions that it calls in turn. */
function variablesOfCall(exports: object, target: string): ScopeVariable[] {
  const called = calledIn(exports, target);
  if (!called) return [];
  const own = variablesBehind([called]);
  const inner = new Set<object>();
  const ofNode = builtinFunctions();
  for (const { value } of own) {
    if (!isObject(value) || isProxy(value)) continue;
    const values =
      typeof value === "function"
        ? [value]
        : ownKeys(value)
            .slice(0, BEHIND)
            .map((key) => exportedValue(value, key));
    for (const made of values) {
      if (typeof made === "function" && !isProxy(made) && !ofNode.has(made) && inner.size < BEHIND) inner.add(made);
    }
  }
  inner.delete(called);
  const behind = inner.size === 0 ? [] : variablesBehind([...inner]);
  return [...own, ...behind.map(({ key, ...one }) => ({ ...one, key: `behind ${key}` }))];
}

/** The function that a statement calls, by the names after the first: `d.extend` of `exports`. */
function calledIn(exports: object, target: string): object | undefined {
  const names = /^require\([^)]*\)/.test(target) ? target.replace(/^require\([^)]*\)/, "exports") : target;
  const [first = "", ...path] = names.split(/\??\./);
  for (const way of [path, [first, ...path]]) {
    let value: unknown = exports;
    for (const name of way) {
      const isDefault = name === "default" && isObject(value) && exportedValue(value, name) === undefined;
      if (!isDefault) value = isObject(value) ? inheritedValue(value, name) : undefined;
    }
    if (typeof value === "function" && way.length > 0 && !isProxy(value)) return value;
  }
  return undefined;
}

/** Methods stand on the prototype. */
function inheritedValue(object: object, name: string): unknown {
  for (let at: object | null = object; at && !isProxy(at); at = Reflect.getPrototypeOf(at)) {
    const value = exportedValue(at, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `@of/a/part` is in the package `@of/a`. */
function packageNameOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
