/** Decides which classes `--subclasses` selects. Pure: what is loaded is asked of the one who knows. */
import type { SubclassName } from "../../src/common/protocol/subclass-name.js";
import { withoutProxies } from "../../src/common/proxy-targets.js";
import { findDescriptor, isObject, ownValue } from "../../src/common/untouched.js";
import { type AnyClass, basesOf } from "./base-chain.js";

/** What the filter has to know of the thread. */
export interface ClassWorld {
  /** The name under which a class was defined; empty for none. */
  nameOf(target: AnyClass): string;
  /** What a package exports (`module.exports`, namespaces), one for each way in which it has been loaded. */
  exportsOf(packageName: string): Iterable<unknown>;
}

/** What has been seen since the start, for names that mean nothing. */
export interface SeenNames extends ClassWorld {
  /** Every class that a file has defined. */
  classes(): Iterable<AnyClass>;
  hasGlobal(name: string): boolean;
  /** Exports of every package that has been loaded. */
  allExports(): Iterable<unknown>;
}

export class SubclassFilter {
  readonly #names: readonly SubclassName[];
  /** The plain ones among the names. */
  readonly #plain: ReadonlySet<string>;

  constructor(names: readonly SubclassName[]) {
    this.#names = names;
    this.#plain = new Set(names.flatMap((name) => (name.type === "plain" ? [name.name] : [])));
  }

  /** Whether the class is, or descends from, a named one. */
  selects(target: AnyClass, world: ClassWorld): boolean {
    const exported = this.#exported(world);
    return [target, ...basesOf(target)].some((base) => this.#plain.has(world.nameOf(base)) || exported.has(base));
  }

  /**
   * Whether what stands on globalThis under `name` goes with the file that put it there. A class goes when it is
   * selected, a plain object or function when its exact name is given; other values are nobody's business.
   */
  selectsGlobal(name: string, value: unknown, world: ClassWorld): boolean {
    if (!isObject(value)) return true;
    if (this.#plain.has(name)) return true;
    return typeof value === "function" && this.selects(value, world);
  }

  /** Names for which nothing has ever been seen. */
  unknown(seen: SeenNames): SubclassName[] {
    const classes = new Set(seenNames(seen));
    const exported = [...seen.allExports()];
    return this.#names.filter((wanted) => {
      if (wanted.type === "export") return exportedAs(wanted.name, seen.exportsOf(wanted.package)).length === 0;
      if (classes.has(wanted.name) || seen.hasGlobal(wanted.name)) return false;
      return !exported.some((exports) => hasExport(exports, wanted.name));
    });
  }

  #exported(world: ClassWorld): Set<unknown> {
    const exported = new Set<unknown>();
    for (const wanted of this.#names) {
      if (wanted.type === "plain") continue;
      for (const value of exportedAs(wanted.name, world.exportsOf(wanted.package))) exported.add(value);
    }
    return exported;
  }
}

/** Names of the app's classes and of what they descend from. */
export function* seenNames(seen: SeenNames): Generator<string> {
  for (const target of seen.classes()) for (const each of [target, ...basesOf(target)]) yield seen.nameOf(each);
}

/** What stands under `name` in a package's exports, or on its default export. */
function exportedAs(name: string, exports: Iterable<unknown>): unknown[] {
  const found: unknown[] = [];
  for (const exported of exports) {
    for (const holder of holders(exported)) found.push(read(holder, name));
    // `pkg#default` of a CommonJS package that is a class.
    if (name === "default" && typeof exported === "function") found.push(exported);
  }
  return found.filter((value) => typeof value === "function");
}

/** What is asked for by its name may have a getter, as TypeScript re-exports. */
function read(holder: object, name: string): unknown {
  const property = findDescriptor(holder, name);
  if (!property?.get) return property?.value;
  try {
    return Reflect.apply(property.get, holder, []);
  } catch {
    // It cannot be had: nothing descends from it.
    return undefined;
  }
}

/** Without calling a getter of that name: packages have some that load more, or warn. */
function hasExport(exports: unknown, name: string): boolean {
  return holders(exports).some((holder) => findDescriptor(holder, name) !== undefined);
}

function holders(exports: unknown): object[] {
  if (!isObject(exports)) return [];
  const nested: unknown = ownValue(exports, "default");
  return [exports, nested].filter(isObject).flatMap((holder) => withoutProxies(holder) ?? []);
}
