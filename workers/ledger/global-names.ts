/**
 * Properties of `globalThis`. They are compared at each change of the module that is evaluated, so that has to be quick: the
 * names that had a value are looked at, and how many names there are (4 us for 75 names; Node 20, 22, 24). No property is
 * read: the app may have given any of them a getter, also those that Node declares. Accessors (Node's lazily loaded
 * globals) are left to the exact comparison.
 */
import { globalDescriptor } from "./global-descriptor.js";
import { type Descriptor, isSame } from "./property-layers.js";
import type { Difference } from "./watched-objects.js";

export class GlobalNames {
  /** Names that have a value and may get another, and those values. */
  #names: PropertyKey[] = [];
  #values: unknown[] = [];
  #enumerable = 0;
  #symbols = 0;
  /** All own properties, as they were when something was different last. */
  #known = new Map<PropertyKey, PropertyDescriptor>();
  /** Accessors of Node's own. */
  readonly #lazy = new Set<() => unknown>();

  constructor() {
    this.#note();
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
    const [names, values] = [this.#names, this.#values];
    for (let k = 0; k < names.length; k++) {
      const property = globalDescriptor(names[k] as PropertyKey);
      if (!property || !("value" in property) || !Object.is(property.value, values[k])) return true;
    }
    return (
      Object.keys(globalThis).length !== this.#enumerable ||
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
      const descriptor = globalDescriptor(key);
      if (descriptor) this.#known.set(key, descriptor);
    }
    this.#enumerable = Object.keys(globalThis).length;
    this.#symbols = Object.getOwnPropertySymbols(globalThis).length;
    const values = [...this.#known].filter(
      ([, property]) => "value" in property && (property.writable || property.configurable),
    );
    this.#names = values.map(([key]) => key);
    this.#values = values.map(([, { value }]) => value as unknown);
  }
}
