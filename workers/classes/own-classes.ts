/** What the thread does with the classes of own files: the table, the filter and the purge, put together. */
import { type SubclassName, subclassText } from "../../src/common/protocol/subclass-name.js";
import type { Ledger } from "../ledger/ledger.js";
import type { Runtime } from "../runtime/runtime.js";
import type { AnyClass } from "./base-chain.js";
import { ClassPurge } from "./class-purge.js";
import { namedClasses } from "./named-classes.js";
import { type SeenNames, SubclassFilter, seenNames } from "./subclass-filter.js";

export interface OwnClassesOptions {
  readonly runtime: Runtime;
  readonly ledger: Ledger;
  /** Names of the filter; undefined: none, all classes are purged. */
  readonly subclasses: readonly SubclassName[] | undefined;
  /** The classes of a file, by name, when they are not to be discovered. */
  readonly classesOf?: ((file: string) => readonly string[] | undefined) | undefined;
  failed(file: string, what: string, error: unknown): void;
  refused(file: string, name: string, because: string): void;
}

export class OwnClasses {
  readonly purge: ClassPurge;
  readonly #filter: SubclassFilter | undefined;
  readonly #seen: SeenNames;
  /** Names that stood on globalThis before the app ran: what the app puts there is a patch. */
  readonly #builtins: ReadonlySet<PropertyKey> = new Set(Reflect.ownKeys(globalThis));

  constructor({ runtime, ledger, subclasses, classesOf, failed, refused }: OwnClassesOptions) {
    const { classes } = runtime;
    this.#filter = subclasses && new SubclassFilter(subclasses);
    this.#seen = {
      nameOf: (target) => classes.nameOf(target),
      exportsOf: (name) => runtime.packages.of(name),
      allExports: () => runtime.packages.all(),
      classes: () => [...classes.all()].map(({ target }) => target),
      hasGlobal: (name) => name in globalThis,
    };
    this.purge = new ClassPurge({
      classesOf: (version) => namedClasses(classes.classesOf(version), classesOf?.(version.file)),
      allClasses: () => classes.all(),
      ...(this.#filter && { selects: (target: AnyClass) => this.selects(target) }),
      outside: (run) => ledger.outside(run),
      changed: (object) => runtime.excuse(object),
      failed,
      refused,
    });
  }

  /** Whether a class goes when its file is purged. */
  selects(target: AnyClass): boolean {
    return this.#filter?.selects(target, this.#seen) ?? true;
  }

  /** Whether what stands on globalThis under `name` goes with the module that put it there. */
  selectsGlobal(name: string, value: unknown): boolean {
    if (!this.#filter || this.#builtins.has(name)) return true;
    return this.#filter.selectsGlobal(name, value, this.#seen);
  }

  /** Names of the filter that nothing has had so far, and the names of the classes that there are. */
  unknownNames(): { readonly names: string[]; readonly seen: string[] } {
    const names = this.#filter?.unknown(this.#seen).map(subclassText) ?? [];
    if (names.length === 0) return { names, seen: [] };
    return { names, seen: [...new Set(seenNames(this.#seen))].filter((name) => name !== "") };
  }
}
