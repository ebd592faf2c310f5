/**
 * Globals that own modules have set. While modules are evaluated each of them is an accessor, so that it is known who reads
 * it: that is an edge to the module that has set it, as an import would be. Afterwards they are plain properties again:
 * what runs later, such as a request, pays nothing.
 */
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Slots } from "../written/slots.js";
import { globalDescriptor } from "./global-descriptor.js";
import { StandingProperties } from "./standing-properties.js";

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
  readonly #standing = new StandingProperties();

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
    this.#standing.fall();
  }

  #stand(name: PropertyKey): void {
    this.#standing.stand(globalThis, name, () => {
      const owner = this.#options.ownerOf(name);
      if (owner) this.#options.read(owner);
    });
  }
}
