/**
 * Packages that keep the first thing they are given, in a variable or a property that had nothing before: `let app; exports.init =
 * (given) => (app ??= given)`, `getInstance(options)`. A purge cannot take it out of there, and the new version's is not taken: only a
 * fresh thread answers as a fresh start does. What such places hold is compared before and after a plan.
 */
import { isObject, isProxy, ownKeys, ownValue, textOf } from "../../src/common/untouched.js";
import { innerScopesOf } from "../written/inner-scopes.js";
import { reach } from "../written/reach.js";
import { constructorOf, type Slots, slotsOfCollection } from "../written/slots.js";
import { type ScopeVariable, scopeVariablesOf } from "./package-scopes.js";

export interface Kept {
  readonly file: string;
  readonly packageName: string;
}

export interface PackageKeepersOptions {
  /** Whether the text of the file names the package. */
  imports(file: string, packageName: string): boolean;
  bodyOf(file: string): string | undefined;
  /** What the functions of a file's version are known by. */
  scopeOf(file: string): object | undefined;
  /** Values of the bindings of a file's version. */
  valuesOf(file: string): readonly unknown[];
  isForeign(value: object): boolean;
}

interface Watched {
  readonly name: string;
  readonly exports: object;
  /** Objects whose properties are places, each with the names of those that had something. */
  readonly holders: ReadonlyMap<object, ReadonlySet<PropertyKey>>;
  /** What variables held; undefined for nothing, and for strings and the like. */
  readonly variables: ReadonlyMap<string, WeakRef<object> | undefined>;
  /** File to how many plans have purged it and left nothing of it there. */
  readonly clean: Map<string, number>;
}

/** A version that a plan purges. */
interface Purged {
  readonly file: string;
  readonly text: string;
  /** What its functions are known by. */
  readonly scope: object | undefined;
  readonly values: ReadonlySet<unknown>;
}

/** What is found in the places of a package: code and objects of the app's, and strings and numbers. */
interface Found {
  readonly objects: ReadonlySet<object>;
  readonly literals: ReadonlySet<string>;
}

/** After so many plans in which a package has kept nothing of a file, it is not looked at for that file: a look costs 1 to 3 ms. */
const TRIALS = 2;
const BOUNDS = { depth: 3, objects: 200 };
/** Steps from a place to a string or number that may come from a module's text. */
const LITERALS_DEPTH = 1;
/** Of one object: a larger one is a table. */
const NAMES = 64;
const SPECIFIERS = /\b(?:require|import|from)\s*\(?\s*(?:"[^"\n]*"|'[^'\n]*')/g;
const LITERALS = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`$\\]*`|\b\d[\d_.]*\b/g;

export class PackageKeepers {
  readonly #options: PackageKeepersOptions;
  readonly #packages: Watched[] = [];
  /** Of the plan under way. */
  #before: { readonly of: Watched; readonly found: Found }[] = [];
  #purged: readonly Purged[] = [];

  constructor(options: PackageKeepersOptions) {
    this.#options = options;
  }

  /** An own module has got the exports of a package for the first time. `variables`: of its scopes, if they were looked at. */
  handedOver(exports: object, name: string, variables: readonly ScopeVariable[]): void {
    const holders = new Map<object, ReadonlySet<PropertyKey>>();
    const roots = [
      exports,
      ...valuesOf(exports),
      ...variables.flatMap(({ value }) => (isObject(value) ? [value] : [])),
    ];
    for (const holder of roots) {
      if (isProxy(holder) || ownKeys(holder).length > NAMES || !isHolder(holder)) continue;
      holders.set(holder, new Set(ownKeys(holder).filter((key) => !isNothing(ownValue(holder, key)))));
    }
    const held = variables.flatMap(({ key, value }): [string, WeakRef<object> | undefined][] => {
      if (isObject(value)) return [[key, new WeakRef(value)]];
      return isNothing(value) ? [[key, undefined]] : [];
    });
    if (holders.size + held.length === 0) return;
    this.#packages.push({ name, exports, holders, variables: new Map(held), clean: new Map() });
  }

  /** A plan is going to purge these files. */
  begin(purge: readonly string[]): void {
    this.#before = [];
    const { imports, bodyOf, scopeOf, valuesOf } = this.#options;
    if (this.#packages.length === 0) return;
    this.#purged = purge.flatMap((file) => {
      const text = bodyOf(file);
      return text === undefined ? [] : { file, text, scope: scopeOf(file), values: new Set(valuesOf(file)) };
    });
    for (const of of this.#packages) {
      const isTried = ({ file }: Purged): boolean => (of.clean.get(file) ?? 0) < TRIALS && imports(file, of.name);
      if (this.#purged.some(isTried)) this.#before.push({ of, found: this.#look(of) });
    }
  }

  /** The plan has been applied: a package that keeps something of what it has purged, and the file that has given it that. */
  kept(): Kept | undefined {
    const current = new Set(this.#purged.flatMap(({ file }) => this.#options.valuesOf(file)));
    for (const { of, found } of this.#before) {
      if (found.objects.size + found.literals.size === 0) continue;
      const now = this.#look(of);
      for (const object of found.objects) {
        const giver = now.objects.has(object) && !current.has(object) ? this.#giverOf(object) : undefined;
        if (giver) return { file: giver.file, packageName: of.name };
      }
      const left = [...found.literals].filter((literal) => now.literals.has(literal));
      const giver = left.length > 0 ? this.#giverOfOne(left) : undefined;
      if (giver) return { file: giver.file, packageName: of.name };
    }
    return undefined;
  }

  /** Nothing more is asked of this plan. */
  end(isAnyKept: boolean): void {
    for (const { file, text } of isAnyKept ? [] : this.#purged) {
      const own = tellingIn(text);
      for (const { of, found } of this.#before) {
        // What stands in both may stay behind by another edit.
        if (![...found.literals].some((literal) => own.has(literal))) of.clean.set(file, (of.clean.get(file) ?? 0) + 1);
      }
    }
    this.#before = [];
    this.#purged = [];
  }

  /** Whose code or object it is, of the purged versions. */
  #giverOf(object: object): Purged | undefined {
    const made = constructorOf(object);
    const giver = this.#purged.find(({ values }) => values.has(object) || (made !== undefined && values.has(made)));
    if (giver || typeof object !== "function") return giver;
    const text = textOf(object);
    if (!this.#purged.some((purged) => purged.text.includes(text))) return undefined;
    const madeBy = innerScopesOf([object])[0]?.madeBy;
    return madeBy === undefined ? undefined : this.#purged.find(({ scope }) => scope === madeBy);
  }

  /** Where one of these strings and numbers stood, which stands in nothing of what has come in its place. */
  #giverOfOne(literals: readonly string[]): Purged | undefined {
    const present = literalsIn(this.#purged.flatMap(({ file }) => this.#options.bodyOf(file) ?? []));
    const gone = literals.filter((literal) => !present.has(literal));
    if (gone.length === 0) return undefined;
    return this.#purged.find(({ text }) => {
      const old = literalsIn([text]);
      return gone.some((literal) => old.has(literal));
    });
  }

  #look({ exports, holders, variables }: Watched): Found {
    const places: unknown[] = [];
    for (const [holder, had] of holders) {
      for (const key of ownKeys(holder)) {
        // Listeners are the ledger's.
        if (!had.has(key) && key !== "prototype" && key !== "_events") places.push(key, ownValue(holder, key));
      }
    }
    if (variables.size > 0) {
      for (const { key, value } of scopeVariablesOf(exports)) {
        const before = variables.get(key);
        const isFilled = before ? isObject(value) && before.deref() !== value : variables.has(key);
        if (isFilled) places.push(key, value);
      }
    }
    const objects = new Set<object>();
    const literals = new Set<string>();
    reach(places, BOUNDS, (object) => {
      if (this.#options.isForeign(object) || isProxy(object)) return undefined;
      objects.add(object);
      return typeof object === "function" ? undefined : slotsOfCollection(object);
    });
    takeLiterals(places, LITERALS_DEPTH, literals);
    return { objects, literals };
  }
}

function takeLiterals(slots: Slots, depth: number, literals: Set<string>): void {
  for (let index = 1; index < slots.length; index += 2) {
    const value = slots[index];
    if (typeof value === "string" || typeof value === "number") literals.add(String(value));
    else if (depth > 0 && isObject(value) && typeof value !== "function" && !isProxy(value)) {
      takeLiterals(slotsOfCollection(value) ?? [], depth - 1, literals);
    }
  }
}

/** Objects that properties of the exports are: classes with statics, instances. */
function valuesOf(exports: object): object[] {
  if (isProxy(exports)) return [];
  return ownKeys(exports)
    .slice(0, NAMES)
    .flatMap((key) => {
      const value: unknown = ownValue(exports, key);
      return isObject(value) ? [value] : [];
    });
}

/** The exports, a class, an instance or a plain object. */
function isHolder(object: object): boolean {
  if (typeof object !== "function") return slotsOfCollection(object) !== undefined;
  const prototype: unknown = ownValue(object, "prototype");
  return isObject(prototype) && (ownKeys(prototype).length > 1 || textOf(object).startsWith("class"));
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === false;

function literalsIn(texts: readonly string[]): Set<string> {
  const literals = texts.flatMap((text) => text.match(LITERALS) ?? []);
  return new Set(literals.map((literal) => (/^["'`]/.test(literal) ? literal.slice(1, -1) : literal)));
}

/** Strings that a package has hardly by accident: no numbers, no single characters, no specifiers. */
function tellingIn(text: string): Set<string> {
  const literals = literalsIn([text.replace(SPECIFIERS, "")]);
  return new Set([...literals].filter((literal) => literal.length > 1 && !/^[\d_.]+$/.test(literal)));
}
