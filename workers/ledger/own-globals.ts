/**
 * Globals that own modules have set. While modules are evaluated each of them is an accessor, so that it is known who reads
 * it: that is an edge to the module that has set it, as an import would be. Afterwards they are plain properties again:
 * what runs later, such as a request, pays nothing.
 */
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Slots } from "../written/slots.js";
import { globalDescriptor, VALUE } from "./global-descriptor.js";

export interface OwnGlobalsOptions {
  /** The version that has set the global last; undefined: none that is current. */
  ownerOf(name: PropertyKey): ModuleEdges | undefined;
  /** A module that is being evaluated may have read a global of `owner`. */
  read(owner: ModuleEdges): void;
}

export class OwnGlobals {
  readonly #options: OwnGlobalsOptions;
  /** What an app replaces of these is a patch. */
  readonly #ofNode: ReadonlySet<PropertyKey> = new Set(Reflect.ownKeys(globalThis));
  /** A name leaves when it is found that no module has it any more. */
  readonly #names = new Set<PropertyKey>();
  /** All that can be accessors are. */
  #watching = false;
  /** Names that may be accessors. */
  readonly #standing = new Set<PropertyKey>();

  constructor(options: OwnGlobalsOptions) {
    this.#options = options;
  }

  /** A module has set it. */
  add(name: PropertyKey): void {
    if (this.#ofNode.has(name)) return;
    this.#names.add(name);
    if (this.#watching) this.#stand(name);
  }

  /** Whether a file has set any. */
  has(file: string): boolean {
    for (const name of this.#names) if (this.#options.ownerOf(name)?.file === file) return true;
    return false;
  }

  /** Names and values of what a file has set. */
  of(file: string): Slots {
    const slots: unknown[] = [];
    for (const name of this.#names) {
      if (this.#options.ownerOf(name)?.file === file)
        slots.push(`global ${String(name)}`, globalDescriptor(name)?.value);
    }
    return slots;
  }

  /** Names and values of what is no module's: a request has set it, or a package. */
  ofNobody(): Slots {
    return Reflect.ownKeys(globalThis).flatMap((name) =>
      this.#ofNode.has(name) || this.#options.ownerOf(name) ? [] : [name, globalDescriptor(name)?.value],
    );
  }

  /** Modules are evaluated from here on. */
  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    for (const name of this.#names) {
      if (this.#options.ownerOf(name)) this.#stand(name);
      else this.#names.delete(name);
    }
  }

  /** None is. */
  unwatch(): void {
    this.#watching = false;
    for (const name of this.#standing) {
      const property = globalDescriptor(name);
      // What the app has replaced, or sealed, stays.
      if (property && Object.getOwnPropertyDescriptor(globalThis, name)?.get !== property.get) {
        Reflect.defineProperty(globalThis, name, property);
      }
    }
    this.#standing.clear();
  }

  #stand(name: PropertyKey): void {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    if (!property || !("value" in property) || !property.writable || !property.configurable) return;
    let value: unknown = property.value;
    const get = (): unknown => {
      const owner = this.#options.ownerOf(name);
      if (owner) this.#options.read(owner);
      return value;
    };
    Object.defineProperty(get, VALUE, { value: () => value });
    const set = (given: unknown): void => {
      value = given;
    };
    const { enumerable = false } = property;
    this.#standing.add(name);
    Object.defineProperty(globalThis, name, { get, set, enumerable, configurable: true });
  }
}
