/** What Node's own loader has to ask about the app's files. Runs in the app's thread, or in the one of Node's hooks. */
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ResolveKind } from "../common/compile/compiled-module.js";
import type * as compilerModule from "../common/compile/compiler.js";
import { isCompiled } from "../common/compile/file-kind.js";
import type { TextForNode } from "../common/compile/text-for-node.js";
import { isBelowPackages } from "../common/paths.js";
import { type Ahead, lookupKey } from "./compile-ahead.js";

export interface OwnFilesOptions {
  readonly root: string;
  readonly conditions: readonly string[];
  /** What was compiled before the app began. */
  readonly ahead?: Ahead | undefined;
}

export class OwnFiles {
  readonly #options: OwnFilesOptions;
  #ahead: Ahead | undefined;
  #compiler: compilerModule.Compiler | undefined;

  constructor(options: OwnFilesOptions) {
    this.#options = options;
    this.#ahead = options.ahead;
  }

  /** The path of an own file that has to be compiled; undefined for every other URL. */
  compiledFile(url: string | undefined): string | undefined {
    const file = url === undefined ? undefined : this.ownFile(url);
    return file !== undefined && isCompiled(file) ? file : undefined;
  }

  /** The path of an own file; undefined for packages, builtins and everything that is no file. */
  ownFile(url: string): string | undefined {
    if (!url.startsWith("file:")) return undefined;
    const file = fileURLToPath(url);
    return isBelowPackages(file) ? undefined : file;
  }

  /**
   * The own file that imports something; where a package imports an own file by its URL (a framework's configuration, a
   * migration), that file.
   */
  importer(specifier: string, parentURL: string | undefined): string | undefined {
    if (parentURL === undefined) return undefined;
    return this.ownFile(parentURL) ?? this.ownFile(specifier);
  }

  text(file: string): TextForNode {
    return this.#ahead?.texts[file] ?? this.#loaded().textForNode(file);
  }

  /** The app is loaded: Node has what was compiled ahead. */
  appLoaded(): void {
    this.#ahead = undefined;
  }

  /** What `import` of the file evaluates: an ES module in every case. */
  importedText(file: string): string {
    const { format, text } = this.text(file);
    return format === "module" ? text : passingOn(file, [...this.#namesOf(file, new Set())]);
  }

  /** Of CommonJS: what an ES module can import of it. */
  #namesOf(file: string, seen: Set<string>): Set<string> {
    if (seen.has(file)) return new Set();
    seen.add(file);
    const { exports, reexports } = this.text(file);
    const passedOn = reexports.flatMap((specifier) => {
      const target = this.find(specifier, file, "require");
      return target !== undefined && isCompiled(target) ? [...this.#namesOf(target, seen)] : [];
    });
    return new Set([...exports, ...passedOn]);
  }

  /** The own file that a specifier leads to by TypeScript's rules; undefined when it leads elsewhere, or nowhere. */
  find(specifier: string, importer: string, kind: ResolveKind): string | undefined {
    // A query makes a module of its own, which is Node's business.
    if (specifier.includes("?") || isBuiltin(specifier)) return undefined;
    const known = this.#ahead?.found[lookupKey(specifier, importer, kind)];
    if (known !== undefined) return known ?? undefined;
    try {
      const found = this.#loaded().resolve(specifier, importer, kind);
      return found.type === "file" ? found.file : undefined;
    } catch (error) {
      // Node words the error.
      if (error instanceof Error && "specifier" in error) return undefined;
      throw error;
    }
  }

  /** Apps that are all JavaScript never need it. */
  #loaded(): compilerModule.Compiler {
    if (!this.#compiler) {
      const { Compiler } = createRequire(import.meta.url)("../common/compile/compiler.js") as typeof compilerModule;
      const { root, conditions } = this.#options;
      this.#compiler = new Compiler({ root, conditions });
    }
    return this.#compiler;
  }
}

/**
 * CommonJS whose text a hook has given gets a lesser `require` (before 24), so `require` loads it, and a module passes its
 * exports on: those that stand in the text, and all of them as the default.
 */
function passingOn(file: string, names: readonly string[]): string {
  const named = names
    .filter((name) => name !== "default" && name !== "module.exports")
    .map((name, index) => {
      const text = JSON.stringify(name);
      return `const e${index} = exported[${text}]; export { e${index} as ${text} };`;
    });
  return [
    'import { createRequire } from "node:module";',
    `const exported = createRequire(import.meta.url)(${JSON.stringify(file)});`,
    "export default exported;",
    ...named,
  ].join("\n");
}

export interface ImportContext {
  readonly parentURL?: string | undefined;
  readonly importAttributes?: Readonly<Record<string, string>> | undefined;
}

/** JSON that a compiled file imports needs no attribute, as with other loaders of TypeScript. */
export function withJsonType<Resolved extends { readonly url: string }>(
  resolved: Resolved,
  { importAttributes }: ImportContext,
): Resolved {
  if (importAttributes?.type !== undefined || !new URL(resolved.url).pathname.endsWith(".json")) return resolved;
  return { ...resolved, importAttributes: { ...importAttributes, type: "json" } };
}

export function urlOf(file: string): string {
  return pathToFileURL(path.resolve(file)).href;
}
