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

/** Kind of `file`; `type` is that of the package it lies in. Of unknown extensions the text decides, as for `require`. */
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
      return js("detect");
  }
}

/** What Node calls the format of a file of this name; undefined where its text decides. */
export function formatName(file: string, type: PackageType): string | undefined {
  const kind = fileKind(file, type);
  if (kind.type === "json") return "json";
  const suffix = kind.language === "js" || kind.language === "jsx" ? "" : "-typescript";
  if (kind.format === "detect") return type === "commonjs" || suffix !== "" ? `commonjs${suffix}` : undefined;
  return `${kind.format === "esm" ? "module" : "commonjs"}${suffix}`;
}

/** The kind of a text that Node's hooks give with this format; undefined: the file's name says it. */
export function kindOfFormat(format: string | undefined): FileKind | undefined {
  switch (format) {
    case "json":
      return { type: "json" };
    case "module":
      return { type: "code", language: "js", format: "esm", interop: false };
    case "commonjs":
      return { type: "code", language: "js", format: "commonjs", interop: false };
    case "module-typescript":
      return { type: "code", language: "ts", format: "esm", interop: false };
    case "commonjs-typescript":
      return { type: "code", language: "ts", format: "detect", interop: true };
    default:
      return undefined;
  }
}

/** Equal for equal kinds: part of what a compiled module is cached by. */
export function kindKey(kind: FileKind): string {
  return kind.type === "json" ? "json" : `${kind.language} ${kind.format} ${kind.interop}`;
}
