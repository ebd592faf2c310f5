/**
 * The names that an ES module can import of a CommonJS file. Node finds them in the text, before anything is evaluated, by the
 * lexer that is used here too.
 */
import { type LexedNames, lexCommonJs } from "../../src/common/compile/commonjs-lexer.js";
import type { PreparedModule, Resolution } from "../../src/common/compile/compiled-module.js";

export interface NamesContext {
  /** The newest code of an own file. */
  code(file: string): PreparedModule;
  resolve(specifier: string, importer: string): Resolution;
}

interface FoundNames {
  readonly names: ReadonlySet<string>;
  /** It passes on all exports of something of which that is not known. */
  readonly isOpen: boolean;
}

export class CommonJsNames {
  readonly #context: NamesContext;
  readonly #lexed = new WeakMap<PreparedModule, LexedNames | undefined>();

  constructor(context: NamesContext) {
    this.#context = context;
  }

  /** The first of the names that Node does not find in the text of the file; undefined: it finds them all, or may do so. */
  missing(prepared: PreparedModule, imported: readonly string[]): string | undefined {
    const wanted = imported.filter((name) => name !== "default" && name !== "module.exports");
    if (wanted.length === 0) return undefined;
    const { names, isOpen } = this.#find(prepared, new Set());
    return isOpen ? undefined : wanted.find((name) => !names.has(name));
  }

  /** All names that Node finds in the text of the file; undefined: it may find others. */
  all(prepared: PreparedModule): ReadonlySet<string> | undefined {
    const { names, isOpen } = this.#find(prepared, new Set());
    return isOpen ? undefined : names;
  }

  #find(prepared: PreparedModule, seen: Set<string>): FoundNames {
    const { file } = prepared.compiled;
    const names = new Set<string>();
    if (seen.has(file)) return { names, isOpen: false };
    seen.add(file);
    const lexed = this.#lex(prepared);
    if (!lexed) return { names, isOpen: true };
    for (const name of lexed.exports) names.add(name);
    let isOpen = false;
    for (const specifier of lexed.reexports) {
      const passedOn = this.#passedOn(specifier, prepared, seen);
      for (const name of passedOn.names) names.add(name);
      isOpen ||= passedOn.isOpen;
    }
    return { names, isOpen };
  }

  #passedOn(specifier: string, { requires, compiled }: PreparedModule, seen: Set<string>): FoundNames {
    const { code, resolve } = this.#context;
    const open = { names: new Set<string>(), isOpen: true };
    try {
      const target = Object.hasOwn(requires, specifier) ? requires[specifier] : resolve(specifier, compiled.file);
      if (target?.type !== "file") return open;
      const prepared = code(target.file);
      return prepared.compiled.format === "commonjs" ? this.#find(prepared, seen) : open;
    } catch (error) {
      // It leads nowhere, or does not compile: its evaluation will tell.
      if (error instanceof Error) return open;
      throw error;
    }
  }

  #lex(prepared: PreparedModule): LexedNames | undefined {
    if (this.#lexed.has(prepared)) return this.#lexed.get(prepared);
    // What is not the user's own text is made of it: types have gone.
    const { mapped, body, source } = prepared.compiled;
    const lexed = lexCommonJs(mapped ? body : source);
    this.#lexed.set(prepared, lexed);
    return lexed;
  }
}
