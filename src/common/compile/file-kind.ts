/** What a file is, as far as its name and its package tell. Pure. */
import path from "node:path";
import type { PackageType } from "./package-scope.js";

/** How the text becomes JavaScript: as it is, or by the TypeScript and JSX transform. */
export type Language = "js" | "jsx" | "ts" | "tsx";

export type FileKind =
  | { readonly type: "json" }
  | {
      readonly type: "code";
      readonly language: Language;
      /** `detect`: import and export syntax in the text decides. */
      readonly format: "esm" | "commonjs" | "detect";
      /** With import syntax and no `esm` format: compiled as TypeScript compiles for CommonJS. */
      readonly interop: boolean;
    };

/** Whether Node cannot evaluate a file of this name as it is: TypeScript, JSX. */
export function isCompiled(file: string): boolean {
  return /\.(?:[cm]?ts|tsx|jsx)$/.test(file);
}

/** Whether Node's `import` takes a file of this name, with what we compile for it. `require` takes every name. */
export function isImportable(file: string): boolean {
  return /^(?:|\.(?:[cm]?[jt]s|[jt]sx|json|node|wasm))$/.test(path.extname(file));
}

/** Kind of `file`; `type` is that of the package it lies in. Unknown extensions are CommonJS, as for `require`. */
export function fileKind(file: string, type: PackageType): FileKind {
  const js = (format: "esm" | "commonjs" | "detect"): FileKind => ({
    type: "code",
    language: "js",
    format,
    interop: false,
  });
  const compiled = (language: Language, format: "esm" | "detect"): FileKind => ({
    type: "code",
    language,
    format,
    interop: format === "detect",
  });
  const byPackage = type === "module" ? "esm" : "detect";
  switch (path.extname(file)) {
    case ".json":
      return { type: "json" };
    case ".mjs":
      return js("esm");
    case ".cjs":
      return js("commonjs");
    case ".js":
    case "":
      return js(type === "module" ? "esm" : type === "commonjs" ? "commonjs" : "detect");
    case ".mts":
      return compiled("ts", "esm");
    case ".cts":
      return compiled("ts", "detect");
    case ".ts":
      return compiled("ts", byPackage);
    case ".tsx":
      return compiled("tsx", byPackage);
    case ".jsx":
      return compiled("jsx", byPackage);
    default:
      return js("commonjs");
  }
}

/** Equal for equal kinds: part of what a compiled module is cached by. */
export function kindKey(kind: FileKind): string {
  return kind.type === "json" ? "json" : `${kind.language} ${kind.format} ${kind.interop}`;
}
