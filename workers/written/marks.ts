/**
 * Properties that a module under evaluation has somebody put on functions and objects of another module: packages mark what they
 * have installed (`plugin.$i = true`). A whole look at each function would cost too much, so names are counted.
 */
import { isObject, isProxy, ownKeys, ownValue, prototypeOf, textOf } from "../../src/common/untouched.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Slots } from "./slots.js";

/** Of one object: a larger one is a table of data. */
const MEMBERS = 32;

export interface MarksContext {
  /** Undefined when the file has not been evaluated. */
  bindingsOf(file: string): Slots | undefined;
  /** As it is evaluated. */
  textOf(file: string): string | undefined;
}

type Counted = readonly [object: object, names: number];

export class Marks {
  readonly #context: MarksContext;
  /** File to what its bindings hold. */
  readonly #counted = new Map<string, readonly Counted[]>();
  /** Version under evaluation to the files that it has read. */
  readonly #read = new Map<ModuleEdges, Set<string>>();

  constructor(context: MarksContext) {
    this.#context = context;
  }

  /** A module under evaluation has got hold of the file's exports. */
  read(reader: ModuleEdges, file: string): void {
    const files = this.#read.get(reader) ?? new Set();
    if (files.has(file)) return;
    if (!this.#counted.has(file)) {
      const bindings = this.#context.bindingsOf(file);
      if (!bindings) return;
      this.#counted.set(file, this.#count(file, bindings));
    }
    this.#read.set(reader, files.add(file));
  }

  /** The module's evaluation is over: the files that were marked meanwhile. */
  takeMarked(reader: ModuleEdges): string[] {
    const marked: string[] = [];
    for (const file of this.#read.get(reader) ?? []) {
      const before = this.#counted.get(file) ?? [];
      if (before.every(([object, names]) => ownKeys(object).length === names)) continue;
      this.#counted.set(
        file,
        before.map(([object]) => [object, ownKeys(object).length]),
      );
      marked.push(file);
    }
    this.#read.delete(reader);
    return marked;
  }

  clear(): void {
    this.#counted.clear();
    this.#read.clear();
  }

  /** Of what the bindings hold, and of the members of objects: `exports.plugin = ...`. */
  #count(file: string, bindings: Slots): Counted[] {
    const text = this.#context.textOf(file) ?? "";
    const counted = new Map<object, number>();
    const add = (value: unknown): readonly (string | symbol)[] => {
      if (!isObject(value) || counted.has(value) || !isWrittenDown(value, text)) return [];
      const names = ownKeys(value);
      counted.set(value, names.length);
      return typeof value === "function" ? [] : names.slice(0, MEMBERS);
    };
    for (let index = 1; index < bindings.length; index += 2) {
      const value = bindings[index];
      for (const name of add(value)) add(ownValue(value as object, name));
    }
    return [...counted];
  }
}

/** A function of the module's own text, or a plain object: what libraries make has properties that come and go. */
function isWrittenDown(value: object, text: string): boolean {
  if (isProxy(value)) return false;
  const prototype = prototypeOf(value);
  if (typeof value !== "function") return prototype === null || prototype === Object.prototype;
  return prototype === Function.prototype && text.includes(textOf(value));
}
