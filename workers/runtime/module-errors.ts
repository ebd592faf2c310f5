/** The errors that Node gives for modules, with its codes and words: apps test for them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { CompileError, ResolveError } from "../../src/common/errors.js";
import { NODE_MAJOR } from "../../src/common/node-version.js";
import { ownValue } from "../../src/common/untouched.js";
import { findImport } from "./find-import.js";

export type NodeError = Error & { code: string };

export function nodeError(code: string, message: string, create: new (message: string) => Error = Error): NodeError {
  const error = new create(message);
  // As Node prints its own errors: the code is part of the stack's first line, not of the name.
  error.name = `${error.name} [${code}]`;
  void error.stack;
  Reflect.deleteProperty(error, "name");
  return Object.assign(error, { code });
}

export function requireAsyncModule(file: string, importer: string | undefined): NodeError {
  const message =
    "require() cannot be used on an ESM graph with top-level await. Use import() instead. To see where the top-level await " +
    "comes from, use --experimental-print-required-tla.";
  const from = importer === undefined ? "" : `\n  From ${importer} `;
  return nodeError("ERR_REQUIRE_ASYNC_MODULE", `${message}${from}\n  Requiring ${file} `);
}

export function requireCycle(file: string, importer: string): NodeError {
  return nodeError(
    "ERR_REQUIRE_CYCLE_MODULE",
    `Cannot require() ES Module ${file} in a cycle. A cycle involving require(esm) is disallowed to maintain invariants mandated by the ECMAScript specification. Try making at least part of the dependency in the graph lazily loaded. Required by ${importer}`,
  );
}

export function missingExport(specifier: string, name: string): SyntaxError {
  return new SyntaxError(`The requested module '${specifier}' does not provide an export named '${name}'`);
}

export function ambiguousExport(specifier: string, name: string): SyntaxError {
  return new SyntaxError(`The requested module '${specifier}' contains conflicting star exports for name '${name}'`);
}

export function circularExport(specifier: string, name: string): SyntaxError {
  return new SyntaxError(`Detected cycle while resolving name '${name}' in '${specifier}'`);
}

/** `source`: of the importer. */
export function missingCommonJsExport(specifier: string, name: string, source: string): SyntaxError {
  const { line } = findImport(source, specifier, name);
  // As Node does: of an import that stands on more than one line there is nothing.
  const names = /\{.*\}/.exec(source.split("\n")[line - 1] ?? "")?.[0].replaceAll(/\s+as\s+/g, ": ");
  return new SyntaxError(
    `Named export '${name}' not found. The requested module '${specifier}' is a CommonJS module, which may not support all module.exports as named exports.\n` +
      "CommonJS modules can always be imported via the default export, for example using:\n\n" +
      `import pkg from '${specifier}';\n${names === undefined ? "" : `const ${names} = pkg;\n`}`,
  );
}

/** A failed lookup as Node reports it: its code and message, with the place in the source. */
export function resolveFailure(error: unknown): unknown {
  if (!(error instanceof ResolveError)) return error;
  const { nodeCode, message, location, url } = error;
  const failure = nodeError(nodeCode, message, TYPE_ERRORS.has(nodeCode) ? TypeError : Error);
  // Whatever the app has put on prototypes.
  if (url !== undefined)
    Object.defineProperty(failure, "url", { value: url, configurable: true, enumerable: true, writable: true });
  return Object.assign(failure, location && { location });
}

/** Failed lookups that Node reports by a TypeError. */
const TYPE_ERRORS = new Set([
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_INVALID_MODULE_SPECIFIER",
  "ERR_PACKAGE_IMPORT_NOT_DEFINED",
  "ERR_UNSUPPORTED_RESOLVE_REQUEST",
]);

/** A file that does not parse, found while the app runs: a SyntaxError to the app, with the place in the source. */
export function compileFailure(error: unknown): unknown {
  if (!(error instanceof CompileError)) return error;
  const { location, frame } = error;
  const isJson = location?.file.endsWith(".json");
  const message = isJson ? `${location?.file}: ${error.message}` : error.message;
  return Object.assign(new SyntaxError(message), location && { location }, frame !== undefined && { frame });
}

const INSTEAD: Readonly<Record<string, string>> = {
  require: "replace require() with import",
  module: "use export instead of module.exports/exports",
  exports: "use export instead of module.exports/exports",
  __filename: "use import.meta.filename instead",
  __dirname: "use import.meta.dirname instead",
};

/** Says of a name of CommonJS, in an ES module, what Node says of it. */
export function hintAtScope(error: unknown, file: string, hasTopLevelAwait: boolean): void {
  if (!(error instanceof ReferenceError)) return;
  const message = ownValue(error, "message");
  const [, name] = /^(require|module|exports|__filename|__dirname) is not defined$/.exec(String(message)) ?? [];
  if (name === undefined) return;
  // Since 22, Node thinks of both readings where there is top-level await as well.
  if (hasTopLevelAwait && NODE_MAJOR >= 22) {
    const [used, instead] = NODE_MAJOR === 22 ? ["require()", INSTEAD.require] : [`'${name}'`, INSTEAD[name]];
    error.message = `Cannot determine intended module format because both ${used} and top-level await are present. If the code is intended to be CommonJS, wrap await in an async function. If the code is intended to be an ES module, ${instead}.`;
    Object.assign(error, { code: "ERR_AMBIGUOUS_MODULE_SYNTAX" });
    return;
  }
  const instead = name === "require" ? ", you can use import instead" : "";
  const manifest = file.endsWith(".js") ? moduleManifest(path.dirname(file)) : undefined;
  const rename =
    manifest &&
    `\nThis file is being treated as an ES module because it has a '.js' file extension and '${manifest}' contains "type": "module". ` +
      "To treat it as a CommonJS script, rename it to use the '.cjs' file extension.";
  error.message = `${name} is not defined in ES module scope${instead}${rename ?? ""}`;
}

/** The package.json above the folder, if it is of type module. */
function moduleManifest(folder: string): string | undefined {
  const manifest = path.join(folder, "package.json");
  let text: string | undefined;
  try {
    text = readFileSync(manifest, "utf8");
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  if (text !== undefined) return /"type"\s*:\s*"module"/.test(text) ? manifest : undefined;
  const above = path.dirname(folder);
  return above === folder ? undefined : moduleManifest(above);
}
