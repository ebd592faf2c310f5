/** The getters that one call of `unreloader.autoload()` has put on an object. */
import { namedExport } from "../../src/common/protocol/named-export.js";

export interface AutoloadNamesOptions {
  readonly target: object;
  namesOf(file: string): readonly string[];
  /** Loads the file if it is not, and gives what it exports. */
  read(file: string): unknown;
}

export class AutoloadNames {
  readonly #options: AutoloadNamesOptions;
  /** Name -> its file and getter. */
  readonly #names = new Map<string, { readonly file: string; readonly get: () => unknown }>();

  constructor(options: AutoloadNamesOptions) {
    this.#options = options;
  }

  /** These are the files: new ones get their names, those of files that are gone go. */
  take(files: readonly string[]): void {
    for (const [name, { file }] of this.#names) if (!files.includes(file)) this.#remove(name);
    const known = new Set([...this.#names.values()].map(({ file }) => file));
    for (const file of files) {
      if (known.has(file)) continue;
      for (const name of this.#options.namesOf(file)) this.#add(name, file);
    }
  }

  removeAll(): void {
    for (const name of this.#names.keys()) this.#remove(name);
  }

  list(): { name: string; file: string }[] {
    return [...this.#names].map(([name, { file }]) => ({ name, file }));
  }

  #add(name: string, file: string): void {
    const { target, read } = this.#options;
    const get = (): unknown => namedExport(read(file), name);
    Object.defineProperty(target, name, { configurable: true, enumerable: true, get });
    this.#names.set(name, { file, get });
  }

  /** What somebody else has put there since stays. */
  #remove(name: string): void {
    const { target } = this.#options;
    const own = Reflect.getOwnPropertyDescriptor(target, name);
    if (own?.get !== undefined && own.get === this.#names.get(name)?.get) Reflect.deleteProperty(target, name);
    this.#names.delete(name);
  }
}
