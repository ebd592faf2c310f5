/**
 * Node before 22.15 has no synchronous hooks for `import()`. There, packages that import what they compute are rewritten as
 * they are loaded, so that their `import()` asks for own files first. Node compiles CommonJS by `Module.prototype._compile`, and
 * reads ES modules by functions of `node:fs` that can be replaced: asynchronously at any time, synchronously before its loader is
 * loaded (20.19, 22.14).
 */
import fs from "node:fs";
import Module from "node:module";
import { fileURLToPath } from "node:url";
import { isBelowPackages } from "../../src/common/paths.js";
import { callerOf } from "../ledger/caller.js";
import { describedAs } from "./loader-changes.js";

export interface PackageImportsContext {
  /** The namespace of the own file that a package asks for; undefined for everything that is Node's. */
  importOwn(specifier: unknown, importer: string): Promise<object> | undefined;
  /** Where a text has `import()`: start offsets. */
  dynamicImports(text: string): readonly number[];
}

/** Where rewritten packages find `importOwn`. */
const KEY = "unreloader.importOwn";
/** Where `fs.readFileSync` of this thread finds what changes the text of an ES module (workers/loader-reads.cts). */
const READ_BY_LOADER = Symbol.for("unreloader.readByLoader");

/** `import(` of something that is not a literal. */
const COMPUTED_IMPORT = /\bimport\s*\(\s*[^\s"'`)]/;

type Compile = (this: Module, content: string, file: string, ...rest: unknown[]) => unknown;

/** The returned function ends it; what has been rewritten then imports as Node does. */
export function rewritePackageImports({ importOwn, dynamicImports }: PackageImportsContext): () => void {
  const rewritten = (text: string, file: string): string => {
    if (!COMPUTED_IMPORT.test(text) || !isBelowPackages(file)) return text;
    const importer = JSON.stringify(file);
    const askFirst = `((s, o) => globalThis[Symbol.for("${KEY}")](s, ${importer}) ?? import(s, o))`;
    let result = text;
    for (const start of [...dynamicImports(text)].reverse())
      result = result.slice(0, start) + askFirst + result.slice(start + "import".length);
    return result;
  };
  const undoCompile = replaceCompile(rewritten);
  const undoReads = replaceReads(rewritten);
  Reflect.set(globalThis, Symbol.for(KEY), importOwn);
  return () => {
    undoReads();
    undoCompile();
    Reflect.set(globalThis, Symbol.for(KEY), () => undefined);
  };
}

function replaceCompile(rewritten: (text: string, file: string) => string): () => void {
  const prototype = Module.prototype as Module & { _compile: Compile };
  const original = prototype._compile;
  const compile: Compile = function (content, file, ...rest) {
    return original.call(this, rewritten(content, file), file, ...rest);
  };
  prototype._compile = compile;
  return () => {
    if (prototype._compile === compile) prototype._compile = original;
  };
}

/** Node's loader of ES modules reads a file by its URL and nothing else. */
function replaceReads(rewritten: (text: string, file: string) => string): () => void {
  const { promises } = fs;
  const { readFile } = promises;
  const given = (file: string | undefined, bytes: unknown): unknown => {
    if (file === undefined || !Buffer.isBuffer(bytes) || !bytes.includes("import")) return bytes;
    const text = bytes.toString("utf8");
    const result = rewritten(text, file);
    return result === text ? bytes : Buffer.from(result);
  };
  const readLater = describedAs(readFile, function (this: unknown, ...args: Parameters<typeof readFile>) {
    const file = readByLoader(args, readLater);
    const bytes = readFile.apply(this, args);
    return file === undefined ? bytes : bytes.then((result) => given(file, result));
  });
  const readNow = (args: readonly unknown[], bytes: unknown, wrapper: () => unknown): unknown =>
    given(readByLoader(args, wrapper), bytes);
  promises.readFile = readLater as typeof readFile;
  Reflect.set(globalThis, READ_BY_LOADER, readNow);
  return () => {
    if (promises.readFile === readLater) promises.readFile = readFile;
    Reflect.deleteProperty(globalThis, READ_BY_LOADER);
  };
}

/** The file of a package that Node's loader reads; undefined: somebody else reads, or something else. */
function readByLoader([url, ...rest]: readonly unknown[], wrapper: (...args: never[]) => unknown): string | undefined {
  if (!(url instanceof URL) || rest.some((one) => one !== undefined)) return undefined;
  if (url.protocol !== "file:" || !/\/node_modules\/.*\.m?js$/.test(url.pathname)) return undefined;
  return callerOf(wrapper).through[0] === "node:internal/modules/esm/load" ? fileURLToPath(url) : undefined;
}
