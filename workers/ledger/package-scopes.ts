/**
 * Collections that a package keeps in variables of its own, behind the functions that it exports: `const plugins = new Map();
 * exports.register = (name, plugin) => plugins.set(name, plugin)`. Only the inspector shows them; they are looked for once
 * for each package, when an own module gets its exports.
 */
import {
  enumerableNames,
  isArray,
  isMap,
  isObject,
  isProxy,
  isSet,
  ownKeys,
  ownValue,
  prototypeOf,
  textOf,
} from "../../src/common/untouched.js";
import { moduleInternals } from "../runtime/module-internals.js";
import { reach } from "../written/reach.js";
import { scopesOf } from "../written/scope-lists.js";
import { type Slots, slotsOfCollection } from "../written/slots.js";
import { loadedBuiltins } from "./builtins.js";
import { exportedValue } from "./exported-value.js";
import { belowOurs } from "./replace.js";

/** Functions of one package that are asked: each costs 0.3 to 1 ms. Those of one file mostly share their scope. */
const FUNCTIONS = 3;
/** Of one object: a table of functions comes from one file mostly. */
const FUNCTIONS_OF_ONE = 2;
/** A variable, or a property of the instance in one. */
const BOUNDS = { depth: 2, objects: 200 };
/** A larger one is a table of data. */
const ENTRIES = 64;
/** What Node gives to a CommonJS module: nobody registers there. */
const OF_NODE = new Set(["exports", "require", "module", "this"]);
/** Scopes that all code has in common. */
const SHARED = new Set<unknown>(["Script", "Global"]);

interface Scope {
  readonly description: unknown;
  readonly object: object;
}

export interface ScopeVariable {
  /** Which function's scope, and the name. */
  readonly key: string;
  readonly name: string;
  readonly value: unknown;
}

/** Variables in the scopes of what a package exports. */
export function scopeVariablesOf(exports: object): ScopeVariable[] {
  return variablesBehind(functionsOf(exports));
}

/** Variables in the scopes of functions. */
export function variablesBehind(functions: readonly object[]): ScopeVariable[] {
  const variables: ScopeVariable[] = [];
  for (const [index, scopes] of (functions.length === 0 ? [] : scopesOf(functions.map(belowOurs))).entries()) {
    if (scopes === undefined) continue;
    for (const [depth, { description, object }] of Array.from(scopes as ArrayLike<Scope>).entries()) {
      if (SHARED.has(description)) break;
      for (const name of enumerableNames(object)) {
        if (!OF_NODE.has(name))
          variables.push({ key: `${index}.${depth}.${name}`, name, value: ownValue(object, name) });
      }
    }
  }
  return variables;
}

/** Maps, sets, arrays and plain objects in variables of a package. `isForeign`: what is known as a package's exports. */
export function collectionsIn(list: readonly ScopeVariable[], isForeign: (value: object) => boolean): object[] {
  if (list.length === 0) return [];
  const exported = new Set<unknown>([
    ...loadedBuiltins(),
    ...Object.values(moduleInternals._cache).map((module) => module?.exports),
  ]);
  const variables = new Map<unknown, string>();
  for (const { name, value } of list) {
    if (isObject(value) && typeof value !== "function" && !exported.has(value)) variables.set(value, name);
  }
  const roots = [...variables].flatMap(([value, name]) => [name, value]);
  const found = reach(roots, BOUNDS, (object) => (isForeign(object) ? undefined : slotsOf(object)));
  return found.map(({ object }) => object).filter((object) => isOpen(object) && !Object.isFrozen(object));
}

/** Functions of the exports, of the objects in there, and of the class that an exported instance is of. */
function functionsOf(exports: object): object[] {
  const functions = new Set<object>();
  const seen = new Set<object>();
  let level = [exports];
  for (let depth = 0; depth < 2; depth++) {
    const below: object[] = [];
    for (const holder of level) {
      if (seen.has(holder) || isProxy(holder)) continue;
      seen.add(holder);
      if (isPackages(holder)) functions.add(holder);
      const prototype = typeof holder === "function" ? undefined : prototypeOf(holder);
      const members = [holder, ...(prototype && prototype !== Object.prototype ? [prototype] : [])];
      let taken = 0;
      for (const key of members.flatMap((from) => ownKeys(from).map((name) => [from, name] as const))) {
        const value = exportedValue(...key);
        if (!isObject(value) || key[1] === "constructor" || key[1] === "prototype") continue;
        if (isPackages(value) && taken < FUNCTIONS_OF_ONE) {
          functions.add(value);
          taken++;
        }
        if (below.length < FUNCTIONS) below.push(value);
      }
      if (functions.size >= FUNCTIONS) return [...functions].slice(0, FUNCTIONS);
    }
    level = below;
  }
  return [...functions];
}

/** Not one of Node's or the language's, which has no scope that could be of interest. */
function isPackages(value: object): boolean {
  return typeof value === "function" && !isProxy(value) && !textOf(value).endsWith("{ [native code] }");
}

function slotsOf(object: object): Slots | undefined {
  if (typeof object === "function") return undefined;
  const slots = slotsOfCollection(object);
  return slots && slots.length <= ENTRIES * 2 ? slots : undefined;
}

/** One that entries can be put in. Properties of an instance are its class's business. */
function isOpen(object: object): boolean {
  if (isArray(object) || isMap(object) || isSet(object)) return true;
  const prototype = prototypeOf(object);
  return prototype === null || prototype === Object.prototype;
}
