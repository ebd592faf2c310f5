/**
 * The namespace object of a file: one object for ever, whose getters lead to the version that is current. Compiled code
 * reads imports through it, so a reload re-binds every importer by replacing what the getters call.
 */
import { syncBuiltinESMExports } from "node:module";
import { inspect, types } from "node:util";
import { isObject, ownValue } from "../../src/common/untouched.js";
import type { Observer } from "./observer.js";

export interface Read {
  (): unknown;
  /** It runs code of the app, which nobody may do but those who want the export: a getter of `module.exports`. */
  readonly runs?: true;
}

/** What a getter calls. The getter stays when the file is reloaded, so that V8 keeps its inline caches. */
interface Cell {
  /** What the name leads to. */
  target: Read;
  /** The same, but for those who read what it led to before (`keepFor`). */
  read: Read;
}

/** What the names led to before a plan, and who reads that until the plan is over. */
interface Kept {
  readonly reads: ReadonlyMap<string, Read>;
  readonly isOutsider: () => boolean;
}

export class Namespace {
  readonly object: object = createNamespaceObject();
  readonly #file: string;
  readonly #observer: Observer;
  /** Exported name to cell; born and dies with the name. */
  #cells = new Map<string, Cell>();
  #kept: Kept | undefined;

  constructor(file: string, observer: Observer) {
    this.#file = file;
    this.#observer = observer;
  }

  has(name: string): boolean {
    return this.#cells.has(name);
  }

  /** Whether reading the export would run code of the app. */
  runs(name: string): boolean {
    return this.#cells.get(name)?.target.runs === true;
  }

  /** Sorted, as `Object.keys` gives them. */
  names(): string[] {
    return [...this.#cells.keys()];
  }

  /** An export of the version that is current or being evaluated, for every asker. It counts as no read. */
  newest(name: string): unknown {
    return this.#cells.get(name)?.target();
  }

  /** What the names lead to now: give it to `replace` to go back. */
  snapshot(): Map<string, Read> {
    return new Map([...this.#cells].map(([name, { target }]) => [name, target]));
  }

  /**
   * From now until `keepNoMore` outsiders read what the names lead to now, whatever becomes of them: requests that have
   * outlived the drain of a reload, while the new version is being evaluated.
   */
  keepFor(isOutsider: () => boolean): void {
    this.#kept = { reads: this.snapshot(), isOutsider };
  }

  keepNoMore(): void {
    const oldOnly = this.#namesOfOldOnly();
    this.#kept = undefined;
    for (const cell of this.#cells.values()) cell.read = cell.target;
    for (const name of oldOnly) Reflect.deleteProperty(this.object, name);
    if (oldOnly.length > 0) makeFast(this.object);
  }

  /** Points names that exist to new bindings; names that do not exist are skipped. */
  bind(reads: Iterable<readonly [string, Read]>): void {
    for (const [name, read] of reads) {
      const cell = this.#cells.get(name);
      if (cell) this.#lead(cell, name, read);
    }
  }

  /** Sets the names and what they lead to. */
  replace(reads: ReadonlyMap<string, Read>): void {
    if (reads.size === this.#cells.size && [...reads.keys()].every((name) => this.#cells.has(name))) {
      this.bind(reads);
      return;
    }
    // Keys of a namespace are sorted, and a property that comes later comes last: define all of them again.
    for (const name of [...this.#cells.keys(), ...this.#namesOfOldOnly()]) Reflect.deleteProperty(this.object, name);
    const old = this.#cells;
    this.#cells = new Map();
    for (const name of [...reads.keys()].sort()) {
      const cell = old.get(name) ?? { target: unbound, read: unbound };
      this.#lead(cell, name, reads.get(name) ?? unbound);
      this.#cells.set(name, cell);
      defineExport(this.object, name, cell, this.#file, this.#observer);
    }
    for (const name of this.#namesOfOldOnly()) {
      const cell = { target: unbound, read: unbound };
      this.#lead(cell, name, unbound);
      defineExport(this.object, name, cell, this.#file, this.#observer, false);
    }
    makeFast(this.object);
  }

  #lead(cell: Cell, name: string, target: Read): void {
    const before = this.#kept?.reads.get(name);
    const isOutsider = this.#kept?.isOutsider;
    cell.target = target;
    cell.read = before && isOutsider ? () => (isOutsider() ? before() : target()) : target;
  }

  /** Those that are no exports any more: only outsiders find them. */
  #namesOfOldOnly(): string[] {
    return [...(this.#kept?.reads.keys() ?? [])].filter((name) => !this.#cells.has(name));
  }
}

function unbound(): undefined {
  return undefined;
}

/** Reading costs about 8 ns when nothing is being evaluated (a data property 3, a getter that never records 7). */
function defineExport(
  object: object,
  name: string,
  cell: Cell,
  file: string,
  observer: Observer,
  enumerable = true,
): void {
  Object.defineProperty(object, name, {
    enumerable,
    configurable: true,
    get() {
      if (observer.active) observer.read(file);
      return cell.read();
    },
    set() {
      throw new TypeError(`Cannot assign to read only property '${name}' of object '[object Module]'`);
    },
  });
}

/** An object that looks like a module namespace as far as is cheap: no prototype, `[object Module]`, values when printed. */
export function createNamespaceObject(): object {
  return Object.create(null, {
    [Symbol.toStringTag]: { value: "Module" },
    [inspect.custom]: { value: inspectNamespace },
  });
}

/** Lets `util.types.isModuleNamespaceObject` know namespaces of own files; the returned function puts back Node's own. */
export function installNamespaceType(): () => void {
  const { isModuleNamespaceObject: original } = types;
  const isNamespace = (value: unknown): boolean =>
    original(value) ||
    (isObject(value) && !types.isProxy(value) && ownValue(value, inspect.custom) === inspectNamespace);
  types.isModuleNamespaceObject = Object.defineProperties(
    isNamespace as typeof original,
    Object.getOwnPropertyDescriptors(original),
  );
  syncBuiltinESMExports();
  return () => {
    types.isModuleNamespaceObject = original;
    syncBuiltinESMExports();
  };
}

function inspectNamespace(this: object, depth: number, options: object, print: typeof inspect): string {
  if (depth < 0) return "[Module: null prototype]";
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(this)) {
    const value = readForPrinting(this, name);
    Object.defineProperty(values, name, { value, enumerable: true });
  }
  return `[Module: null prototype] ${print(values, { ...options, depth })}`;
}

function readForPrinting(namespace: object, name: string): unknown {
  try {
    return Reflect.get(namespace, name);
  } catch (error) {
    if (error instanceof ReferenceError) return { [inspect.custom]: () => "<uninitialized>" };
    throw error;
  }
}

/** V8 keeps objects without prototype, and those that lost properties, as hash tables; a prototype gets a shape again. */
function makeFast(object: object): void {
  function Shape() {}
  Shape.prototype = object;
  Reflect.construct(Shape, []);
}
