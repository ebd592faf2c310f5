/**
 * What the fast transformer lacks: standard decorators, `using` for versions of Node that do not have it, namespaces
 * that export variables. Slow (2 ms a file and 50 ms once), so it is loaded when the first such file appears.
 */
import { createRequire } from "node:module";
import type { TransformFailure, TransformOptions } from "esbuild";
import type { EncodedSourceMap } from "./source-map.js";
import type { Derived, StripRequest } from "./strip-types.js";
import { SyntaxProblem } from "./syntax-tree.js";

/** Whether this Node runs `using` itself (24 and later do). */
export const hasUsing: boolean = understands("{ using x = null }");

/** As stripTypes, by the slow transformer, down to what every supported Node runs. */
export function lowerSyntax(request: StripRequest): Derived | SyntaxProblem {
  const { settings, text, withMap } = request;
  const { transformSync } = createRequire(import.meta.url)("esbuild") as typeof import("esbuild");
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
    return { text: code, map: withMap ? (JSON.parse(map) as EncodedSourceMap) : undefined, helpers: "" };
  } catch (error) {
    const [first] = (error as Partial<TransformFailure>).errors ?? [];
    if (!first) throw error;
    return new SyntaxProblem(first.text, offsetOf(text, first.location?.line ?? 1, first.location?.column ?? 0));
  }
}

/** What tsc makes of `import` and `export` in a CommonJS package, from JavaScript. */
export function toCommonJs(
  text: string,
  file: string,
  interop: "esModule" | "callable",
): { readonly text: string; readonly map: EncodedSourceMap } {
  const { transformSync } = createRequire(import.meta.url)("esbuild") as typeof import("esbuild");
  const { code, map } = transformSync(text, {
    format: "cjs",
    platform: "node",
    target: "esnext",
    charset: "utf8",
    sourcemap: "external",
    sourcefile: file,
    logLevel: "silent",
  });
  // Without esModuleInterop an import is what `require` gives, and nothing else.
  const converted = interop === "callable" ? code.replaceAll("__toESM(require(", "(require(") : code;
  return { text: converted, map: JSON.parse(map) as EncodedSourceMap };
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
