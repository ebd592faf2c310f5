/** One file's text to a compiled module, and later its source map. Reads no disk, keeps nothing. */
import { pathToFileURL } from "node:url";
import { CompileError } from "../errors.js";
import { codeFrame, positionAt, type TextPosition } from "./code-frame.js";
import type { CompiledModule } from "./compiled-module.js";
import { type Derivation, DerivedProblem, derive } from "./derive.js";
import { type FileKind, isImportable } from "./file-kind.js";
import { findJsonProblem } from "./json-syntax.js";
import { type EncodedSourceMap, makeSourceMap, traceBack } from "./source-map.js";
import type { SyntaxProblem } from "./syntax-tree.js";
import type { TypeScriptSettings } from "./tsconfig-settings.js";
import { findEngineProblem } from "./v8-check.js";

export interface TextToCompile {
  readonly file: string;
  readonly source: string;
  readonly hash: string;
  readonly kind: FileKind;
  readonly settings: TypeScriptSettings;
  /** Functions get cells; see cells.ts. Absent: none. */
  readonly cells?: boolean;
}

/** Throws CompileError with the place in the source. */
export function compileText(input: TextToCompile): CompiledModule {
  const { file, source, hash, settings } = input;
  if (input.kind.type === "json") return compileJson(input);
  const derivation = derivedOrOpaque(input, input.kind);
  if (!derivation) return opaque(input);
  const { rewritten, text, steps, format, declarations, interop } = derivation;
  const prefix = bodyPrefix(derivation, settings);
  return {
    file,
    hash,
    format,
    interop: interop ? settings.interop : "none",
    ...(interop && !settings.keepsImportCalls && { importsByRequire: true as const }),
    source,
    prologue: format === "esm" ? joined(rewritten.prologue, declarations) : "",
    body: prefix + rewritten.edits.applyTo(text),
    mapped: steps > 0,
    imports: rewritten.imports,
    exports: rewritten.exports,
    stars: rewritten.stars,
    ...(rewritten.passedOn && { passedOn: rewritten.passedOn }),
    requires: rewritten.requires,
    dynamicImports: rewritten.dynamicImports,
    topLevelAwait: rewritten.topLevelAwait,
    effects: derivation.effects,
  };
}

/**
 * Throws CompileError for what only the engine refuses. Apart from compileText because it takes a third of its time, and
 * matters only where code is replaced that works.
 */
export function checkByEngine(input: TextToCompile, compiled: CompiledModule): void {
  if (compiled.format === "json" || !isImportable(input.file)) return;
  const problem = findEngineProblem(compiled);
  if (!problem) return;
  const position = traceBack(problem.position, mapText(input));
  throw compileError(input.file, withoutByteOrderMark(input.source), problem.message, position);
}

/**
 * Map from positions in the module's `body` to positions in its source. What the runtime puts before the body on its first
 * line must be hidden by the script's `columnOffset`.
 */
export function mapText(input: TextToCompile): EncodedSourceMap {
  const url = pathToFileURL(input.file).href;
  if (input.kind.type === "json") {
    return { version: 3, names: [], sources: [url], sourcesContent: [input.source], mappings: "" };
  }
  const derivation = deriveLocated(input, input.kind, true);
  return makeSourceMap({
    url,
    source: input.source,
    steps: derivation.maps,
    text: derivation.text,
    edits: derivation.rewritten.edits,
    prefix: bodyPrefix(derivation, input.settings),
  });
}

/** Undefined: what is in a file of an unknown extension is no JavaScript. */
function derivedOrOpaque(input: TextToCompile, kind: FileKind & { type: "code" }): Derivation | undefined {
  try {
    return deriveLocated(input, kind, false);
  } catch (error) {
    if (!(error instanceof CompileError) || isImportable(input.file)) throw error;
    return undefined;
  }
}

/** A text that only what the app has registered for its extension can load; without that, it throws what it throws in Node. */
function opaque({ file, hash, source }: TextToCompile): CompiledModule {
  return {
    ...{ file, hash, source, format: "commonjs", interop: "none", prologue: "", body: source, mapped: false },
    ...{ imports: [], exports: [], stars: [], requires: [], dynamicImports: [], topLevelAwait: false },
    effects: { passive: false, stateless: false, functions: [] },
  };
}

function compileJson({ file, source, hash }: TextToCompile): CompiledModule {
  const body = withoutByteOrderMark(source);
  const problem = findJsonProblem(body);
  if (problem) throw compileError(file, body, problem.message, positionAt(body, problem.offset));
  return {
    file,
    hash,
    format: "json",
    interop: "none",
    source,
    prologue: "",
    body,
    mapped: false,
    imports: [],
    exports: [],
    stars: [],
    requires: [],
    dynamicImports: [],
    topLevelAwait: false,
    effects: { passive: true, stateless: false, functions: [] },
  };
}

/** Throws CompileError with the place in the source. */
export function deriveLocated(input: TextToCompile, kind: FileKind & { type: "code" }, withMaps: boolean): Derivation {
  const { file, settings } = input;
  const source = withoutByteOrderMark(input.source);
  try {
    return derive({ file, source, kind, settings, withMaps, cells: input.cells ?? false });
  } catch (error) {
    if (!(error instanceof DerivedProblem)) throw error;
    const { problem, at } = error;
    // The place is in a compiled text, and there are no maps yet: come to the same place again with maps.
    if (at.steps > at.maps.length) return deriveLocated(input, kind, true);
    throw compileError(file, source, problem.message, originalPosition(problem, at.text, at.maps));
  }
}

function originalPosition(problem: SyntaxProblem, text: string, maps: readonly EncodedSourceMap[]): TextPosition {
  return maps.reduce(traceBack, positionAt(text, problem.offset));
}

function compileError(file: string, source: string, message: string, position: TextPosition): CompileError {
  return new CompileError(message, { file, ...position }, codeFrame(source, position));
}

/** What stands before the text of a CommonJS module, on its first line: it has no PROLOGUE. */
function bodyPrefix(derivation: Derivation, settings: TypeScriptSettings): string {
  if (derivation.format === "esm" || derivation.steps === 0) return "";
  const prefix = joined(settings.alwaysStrict ? '"use strict";' : "", derivation.declarations);
  return prefix === "" ? "" : `${prefix} `;
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}

function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
