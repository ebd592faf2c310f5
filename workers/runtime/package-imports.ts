/**
 * Node before 22.15 has no synchronous hooks for `import()`. There, CommonJS packages that import what they compute are
 * rewritten as they are loaded, so that their `import()` asks for own files first. ES module packages are not reached.
 */
import Module from "node:module";
import { isBelowPackages } from "../../src/common/paths.js";

export interface PackageImportsContext {
  /** The namespace of the own file that a package asks for; undefined for everything that is Node's. */
  importOwn(specifier: unknown, importer: string): Promise<object> | undefined;
  /** The text of a CommonJS file with `import(` replaced by `__ur.import(`. */
  rewrite(file: string): string;
}

/** Where rewritten packages find `importOwn`. */
const KEY = "unreloader.importOwn";
const ASK_FIRST = `((s, o) => globalThis[Symbol.for("${KEY}")](s, __filename) ?? import(s, o))`;

/** `import(` of something that is not a literal. */
const COMPUTED_IMPORT = /\bimport\s*\(\s*[^\s"'`)]/;

type Compile = (this: Module, content: string, file: string, ...rest: unknown[]) => unknown;

/** The returned function ends it; what has been rewritten then imports as Node does. */
export function rewritePackageImports({ importOwn, rewrite }: PackageImportsContext): () => void {
  const prototype = Module.prototype as Module & { _compile: Compile };
  const original = prototype._compile;
  const compile: Compile = function (content, file, ...rest) {
    const computes = rest[0] !== "module" && COMPUTED_IMPORT.test(content) && isBelowPackages(file);
    return original.call(this, computes ? rewritten(content, file, rewrite) : content, file, ...rest);
  };
  prototype._compile = compile;
  Reflect.set(globalThis, Symbol.for(KEY), importOwn);
  return () => {
    if (prototype._compile === compile) prototype._compile = original;
    Reflect.set(globalThis, Symbol.for(KEY), () => undefined);
  };
}

function rewritten(content: string, file: string, rewrite: PackageImportsContext["rewrite"]): string {
  try {
    return rewrite(file).replaceAll("__ur.import", ASK_FIRST);
  } catch (error) {
    // What our compiler cannot read, Node may.
    if (error instanceof Error) return content;
    throw error;
  }
}
