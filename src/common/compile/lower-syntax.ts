/**
 * What the fast transformer lacks: standard decorators, `using` for versions of Node that do not have it, namespaces
 * that export variables. Slow (2 ms a file and 50 ms once) and large (11 MB), so it is loaded when the first such file
 * appears, and installed by the projects that have one.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { TransformFailure, TransformOptions } from "esbuild";
import type { EncodedSourceMap } from "./source-map.js";
import type { Derived, StripRequest } from "./strip-types.js";
import { SyntaxProblem } from "./syntax-tree.js";

/** Whether this Node runs `using` itself (24 and later do). */
export const hasUsing: boolean = understands("{ using x = null }");

/** Version of the esbuild that is used for files of the folder; "none" when there is none. */
export function esbuildVersion(folder: string): string {
  const found = esbuildFolder(folder);
  if (found === undefined) return "none";
  return (JSON.parse(readFileSync(path.join(found, "package.json"), "utf8")) as { version: string }).version;
}

/** As stripTypes, by the slow transformer, down to what every supported Node runs. Undefined without an esbuild. */
export function lowerSyntax(request: StripRequest): Derived | SyntaxProblem | undefined {
  const { settings, text, withMap } = request;
  const esbuild = esbuildFolder(path.dirname(request.file));
  if (esbuild === undefined) return undefined;
  const { transformSync } = createRequire(import.meta.url)(esbuild) as typeof import("esbuild");
  const { jsx } = settings;
  const options: TransformOptions = {
    loader: request.language,
    target: "es2022",
    charset: "utf8",
    sourcemap: withMap ? "external" : false,
    sourcefile: request.file,
    logLevel: "silent",
    jsx: jsx.runtime === "classic" ? "transform" : "automatic",
    jsxDev: jsx.development,
    ...(jsx.importSource !== undefined && { jsxImportSource: jsx.importSource }),
    ...(jsx.factory !== undefined && { jsxFactory: jsx.factory }),
    ...(jsx.fragmentFactory !== undefined && { jsxFragment: jsx.fragmentFactory }),
    tsconfigRaw: {
      compilerOptions: {
        experimentalDecorators: settings.legacyDecorators,
        useDefineForClassFields: settings.defineClassFields,
        verbatimModuleSyntax: settings.keepsUnusedImports,
      },
    },
  };
  try {
    const { code, map } = transformSync(text, options);
    return {
      text: withOwnBindings(code),
      map: withMap ? (JSON.parse(map) as EncodedSourceMap) : undefined,
      declarations: "",
    };
  } catch (error) {
    const [first] = (error as Partial<TransformFailure>).errors ?? [];
    if (!first) throw error;
    return new SyntaxProblem(first.text, offsetOf(text, first.location?.line ?? 1, first.location?.column ?? 0));
  }
}

/**
 * In a decorated class its name stands for what the decorators have made of it. esbuild writes `let _X = class _X {`, in which it
 * stands for the class before that. Positions stay.
 */
function withOwnBindings(code: string): string {
  if (!code.includes("__decorateElement(_init, 0,")) return code;
  return code.replace(
    /^([ \t]*)let ([\p{ID_Start}$_][\p{ID_Continue}$]*) = class \2\b([^{\n]*)\{$/gmu,
    // Apart from its value: static initialisers may read it. The block makes it the class for them.
    (_, indent: string, name: string, heritage: string) =>
      `${indent}let ${name};${name} = class${heritage}{ static { ${name} = this; }`,
  );
}

/**
 * The one that lies beside this package comes first, then the one of the project. Looked for on the disk: where Node's own
 * loader loads the app, what it does not find comes back to the compiler.
 */
function esbuildFolder(project: string): string | undefined {
  for (const from of [import.meta.dirname, project]) {
    for (let folder = from; ; folder = path.dirname(folder)) {
      const place = path.join(folder, "node_modules", "esbuild");
      if (existsSync(path.join(place, "package.json"))) return place;
      if (folder === path.dirname(folder)) break;
    }
  }
  return undefined;
}

/** `line` is 1-based, `byteColumn` 0-based and in bytes. */
function offsetOf(text: string, line: number, byteColumn: number): number {
  let start = 0;
  for (let current = 1; current < line; current++) {
    const next = text.indexOf("\n", start);
    if (next === -1) break;
    start = next + 1;
  }
  const end = text.indexOf("\n", start);
  const bytes = Buffer.from(text.slice(start, end === -1 ? undefined : end));
  return start + bytes.subarray(0, byteColumn).toString().length;
}

function understands(text: string): boolean {
  try {
    return typeof new Function(text) === "function";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
