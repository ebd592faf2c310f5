/**
 * Properties of `globalThis`. They are compared at each change of the module that is evaluated, so that has to be quick:
 * the values that are known, and how many names there are. Accessors (Node's lazily loaded globals) are left to the exact
 * comparison, because reading them would load what they stand for.
 */
import { compileFunction } from "node:vm";
import { type Descriptor, isSame } from "./property-layers.js";
import type { Difference } from "./watched-objects.js";

/** Compares the properties `names` of an object with values in the same order. */
interface Comparison {
  readonly names: ReadonlySet<string>;
  isSame(object: object, values: readonly unknown[]): boolean;
}

export class GlobalNames {
  /** Of most names: made once, for those that Node declares. */
  #comparison: Comparison = { names: new Set(), isSame: () => true };
  #compared: unknown[] = [];
  /** The other names that have a value, those that the app declares, and their values. */
  #others: PropertyKey[] = [];
  #otherValues: unknown[] = [];
  #names = 0;
  #symbols = 0;
  /** All own properties, as they were when something was different last. */
  #known = new Map<PropertyKey, PropertyDescriptor>();
  /** Accessors of Node's own. */
  readonly #lazy = new Set<() => unknown>();

  constructor() {
    this.#note();
    this.#compile();
    for (const { get } of this.#known.values()) if (get) this.#lazy.add(get);
  }

  /** What has changed since the last look. `exactly`: also what was an accessor and is something else now. */
  look(exactly: boolean): Difference[] {
    if (!this.#isDifferent() && !(exactly && this.#isAccessorReplaced())) return [];
    const before = this.#known;
    this.#note();
    const keys = new Set([...before.keys(), ...this.#known.keys()]);
    return [...keys].flatMap((key) => {
      const [was, is] = [before.get(key), this.#known.get(key)];
      return isSame(was, is) || this.#isLoaded(key, was, is)
        ? []
        : [{ target: globalThis, key, before: was, after: is }];
    });
  }

  /**
   * A global that Node loads lazily replaces its own accessor when it is read. When the app has put something else there,
   * the accessor gives another value, and may put that in its place.
   */
  #isLoaded(key: PropertyKey, was: Descriptor, is: Descriptor): boolean {
    if (!was?.get || !this.#lazy.has(was.get) || typeof is?.value !== "function") return false;
    const loaded: unknown = Reflect.apply(was.get, globalThis, []);
    if (loaded !== is.value) Object.defineProperty(globalThis, key, is);
    return loaded === is.value;
  }

  #isDifferent(): boolean {
    if (!this.#comparison.isSame(globalThis, this.#compared)) return true;
    const [keys, values] = [this.#others, this.#otherValues];
    for (let k = 0; k < keys.length; k++) {
      if (!Object.is(Reflect.get(globalThis, keys[k] as PropertyKey), values[k])) return true;
    }
    return (
      Object.keys(globalThis).length !== this.#names ||
      Object.getOwnPropertySymbols(globalThis).length !== this.#symbols
    );
  }

  #isAccessorReplaced(): boolean {
    for (const [key, { get }] of this.#known) {
      if (get && Object.getOwnPropertyDescriptor(globalThis, key)?.get !== get) return true;
    }
    return false;
  }

  #note(): void {
    this.#known = new Map();
    for (const key of Reflect.ownKeys(globalThis)) {
      const descriptor = Object.getOwnPropertyDescriptor(globalThis, key);
      if (descriptor) this.#known.set(key, descriptor);
    }
    this.#names = Object.keys(globalThis).length;
    this.#symbols = Object.getOwnPropertySymbols(globalThis).length;
    const { names } = this.#comparison;
    // Reading it would call the app.
    if ([...names].some((name) => this.#known.get(name)?.get)) this.#compile();
    else this.#noteValues();
  }

  #noteValues(): void {
    const { names } = this.#comparison;
    this.#compared = [...names].map((name) => this.#known.get(name)?.value);
    const others = [...this.#known].filter(([key, descriptor]) => {
      const canChange = descriptor.writable || descriptor.configurable;
      return "value" in descriptor && canChange && !(typeof key === "string" && names.has(key));
    });
    this.#others = others.map(([key]) => key);
    this.#otherValues = others.map(([, { value }]) => value);
  }

  #compile(): void {
    const names = [...this.#known].flatMap(([key, descriptor]) =>
      typeof key === "string" && isIdentifier(key) && "value" in descriptor && (descriptor.writable ?? false)
        ? key
        : [],
    );
    this.#comparison = comparisonOf(names);
    this.#noteValues();
  }
}

/**
 * Names written out, as a program has them, are looked up by V8's inline caches, keys in a list by hashing: 100 to 150
 * times slower on `globalThis` (6 to 12 us for 60 names against 0.06 us; Node 20, 22, 24).
 */
function comparisonOf(names: readonly string[]): Comparison {
  const conditions = names.map((name, index) => `object.${name} === values[${index}]`);
  const isSame = compileFunction(`return ${["true", ...conditions].join(" && ")};`, ["object", "values"]);
  return { names: new Set(names), isSame: isSame as Comparison["isSame"] };
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}
