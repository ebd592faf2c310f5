/**
 * The compiler of this thread, for files that nobody has compiled ahead. Loaded when it is needed, which most apps never do:
 * main compiles ahead, and its native parts would delay every start.
 */
import { createRequire } from "node:module";
import type { CompiledModule, PreparedModule, Resolution, ResolveKind } from "../src/common/compile/compiled-module.js";
import type * as compilerModule from "../src/common/compile/compiler.js";
import type { EncodedSourceMap } from "../src/common/compile/source-map.js";
import { splitSearch } from "../src/common/compile/specifier.js";
import { LATE_LOOKUPS, NewestKeys } from "../src/common/protocol/late-lookups.js";
import type { BootOrder } from "../src/common/protocol/orders.js";
import { leadsToCompiled } from "../src/common/started/closure.js";
import { loadHidden } from "./main-thread/own-modules.js";

export interface LateCompilerOptions extends Pick<BootOrder, "root" | "conditions" | "cacheFolder" | "cells"> {
  /** Runs what has Node link modules. */
  linking<Result>(run: () => Result): Result;
  /** A computed specifier was looked up for the first time. */
  lookedUp(specifier: string, importer: string, kind: ResolveKind): void;
}

export class LateCompiler {
  readonly #options: LateCompilerOptions;
  #compiler: compilerModule.Compiler | undefined;
  /** Computed specifiers that main has been told of, the newest of them: clients may come up with any number. */
  readonly #lookups = new NewestKeys(LATE_LOOKUPS);

  constructor(options: LateCompilerOptions) {
    this.#options = options;
  }

  load(): void {
    this.#loaded();
  }

  prepare(file: string): PreparedModule {
    return this.#loaded().prepare(file);
  }

  prepareAs(file: string, as: compilerModule.CompileAs): PreparedModule {
    return this.#loaded().prepareAs(file, as);
  }

  formatOf(file: string): string | undefined {
    return this.#loaded().formatOf(file);
  }

  resolve(specifier: string, importer: string, kind: ResolveKind, conditions?: readonly string[]): Resolution {
    const isNew = this.lookedUp(specifier, importer, kind);
    return this.#loaded().resolveLate(specifier, importer, kind, isNew, conditions);
  }

  /** Tells main of a lookup; returns whether it is the first of its kind. */
  lookedUp(specifier: string, importer: string, kind: ResolveKind): boolean {
    // Queries are without number, and lead to the same file.
    const [plain] = splitSearch(specifier, kind);
    const isNew = this.#lookups.add(JSON.stringify([plain, importer, kind])) !== false;
    if (isNew) this.#options.lookedUp(plain, importer, kind);
    return isNew;
  }

  /** Files any of which, if it were there, would be where a specifier that leads nowhere leads. */
  missing(specifier: string, importer: string, kind: ResolveKind): string[] {
    return this.#loaded().missing(splitSearch(specifier, kind)[0], importer, kind);
  }

  dynamicImports(text: string): number[] {
    return this.#loaded().dynamicImports(text);
  }

  /** Whether Node alone cannot evaluate what the file of a thread or process leads to. */
  leadsToCompiled(file: string): boolean {
    return leadsToCompiled(this.#loaded(), file);
  }

  sourceMap(compiled: CompiledModule): EncodedSourceMap {
    return this.#loaded().sourceMap(compiled);
  }

  /** What is known of these files holds no more; `lookups`: nor does where any specifier leads. */
  forget({ files, lookups }: { readonly files: readonly string[]; readonly lookups: boolean }): void {
    if (lookups) this.#compiler?.forget();
    for (const file of files) this.#compiler?.drop(file);
  }

  #loaded(): compilerModule.Compiler {
    if (!this.#compiler) {
      const { root, conditions, cacheFolder, cells, linking } = this.#options;
      const require = createRequire(import.meta.url);
      this.#compiler = loadHidden(() => {
        const { Compiler } = linking(() => require("../src/common/compile/compiler.js") as typeof compilerModule);
        return new Compiler({ root, conditions, cacheFolder, cells });
      });
    }
    return this.#compiler;
  }
}
