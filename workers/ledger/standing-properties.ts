/**
 * Accessors that stand for plain properties while modules are evaluated, so that it is known who reads them. Afterwards they
 * are plain properties again: what runs later, such as a request, pays nothing.
 */
import { sharedDescriptor, VALUE } from "./global-descriptor.js";

export class StandingProperties {
  /** Those that may be accessors. */
  readonly #standing = new Map<object, Set<PropertyKey>>();

  /** `read` is called whenever somebody reads the property. */
  stand(target: object, key: PropertyKey, read: () => void): void {
    const property = Object.getOwnPropertyDescriptor(target, key);
    if (!property || !("value" in property) || !property.writable || !property.configurable) return;
    let value: unknown = property.value;
    const get = (): unknown => {
      read();
      return value;
    };
    Object.defineProperty(get, VALUE, { value: () => value });
    const set = function (this: unknown, given: unknown): void {
      // As a plain property: whoever inherits it gets one of its own.
      if (this === target || this === undefined) value = given;
      else
        Reflect.defineProperty(Object(this), key, {
          value: given,
          writable: true,
          enumerable: true,
          configurable: true,
        });
    };
    const { enumerable = false } = property;
    const keys = this.#standing.get(target) ?? new Set();
    this.#standing.set(target, keys.add(key));
    Object.defineProperty(target, key, { get, set, enumerable, configurable: true });
  }

  /** All are plain properties again. */
  fall(): void {
    for (const [target, keys] of this.#standing) {
      for (const key of keys) {
        const property = sharedDescriptor(target, key);
        // What the app has replaced, or sealed, stays.
        if (property && Object.getOwnPropertyDescriptor(target, key)?.get !== property.get) {
          Reflect.defineProperty(target, key, property);
        }
      }
    }
    this.#standing.clear();
  }
}
