/**
 * Properties of `globalThis`. They are compared at each change of the module that is evaluated, so that has to be quick
 * (2 us): the values that are known, and how many names there are. Accessors (Node's lazily loaded globals) are left to
 * the exact comparison, because reading them would load what they stand for.
 */
import type { Difference } from "./watched-objects.js";

export class GlobalNames {
  #keys: PropertyKey[] = [];
  #values: unknown[] = [];
  #names = 0;
  #symbols = 0;
  /** All own properties, as they were when something was different last. */
  #known = new Map<PropertyKey, PropertyDescriptor>();

  constructor() {
    this.#note();
  }

  look(): Difference[] {
    if (!this.#isDifferent()) return [];
    const before = this.#known;
    this.#note();
    const keys = new Set([...before.keys(), ...this.#known.keys()]);
    return [...keys].flatMap((key) => {
      const [was, is] = [before.get(key), this.#known.get(key)];
      // A lazily loaded global that has been read replaces its own accessor.
      const isLoaded = was?.get !== undefined && is !== undefined && "value" in is;
      return isLoaded || (was && is && Object.is(was.value, is.value) && was.get === is.get)
        ? []
        : [{ target: globalThis, key, before: was, after: is }];
    });
  }

  #isDifferent(): boolean {
    const [keys, values] = [this.#keys, this.#values];
    for (let k = 0; k < keys.length; k++) {
      if (!Object.is(Reflect.get(globalThis, keys[k] as PropertyKey), values[k])) return true;
    }
    return (
      Object.keys(globalThis).length !== this.#names ||
      Object.getOwnPropertySymbols(globalThis).length !== this.#symbols
    );
  }

  #note(): void {
    this.#known = new Map();
    this.#keys = [];
    this.#values = [];
    for (const key of Reflect.ownKeys(globalThis)) {
      const descriptor = Object.getOwnPropertyDescriptor(globalThis, key);
      if (!descriptor) continue;
      this.#known.set(key, descriptor);
      if (!("value" in descriptor)) continue;
      this.#keys.push(key);
      this.#values.push(descriptor.value);
    }
    this.#names = Object.keys(globalThis).length;
    this.#symbols = Object.getOwnPropertySymbols(globalThis).length;
  }
}
