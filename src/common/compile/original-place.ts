/** From a place in compiled code, as V8 tells it, to the place in the source, as its author would. Pure. */
import type { TextPosition } from "./code-frame.js";
import type { CompiledModule } from "./compiled-module.js";
import { originalPositionFor, type TraceMap } from "./trace-map.js";

/** `map` is asked for only when it is needed: it costs about what compiling does. */
export function originalPlace(compiled: CompiledModule, told: TextPosition, map: () => TraceMap): TextPosition {
  // What stands ahead of the body (imports are loaded there) has columns below 1.
  const place = { line: told.line, column: Math.max(1, told.column) };
  if (!compiled.mapped && isAsWritten(compiled, place.line)) return place;
  const original = originalPositionFor(map(), { line: place.line, column: place.column - 1 });
  if (original.line === null) return place;
  return calleeStart(compiled.source, original.line, original.column + 1);
}

/**
 * Whether a line was left alone. In JavaScript lines are where they were, but columns are not where imports are read and
 * classes begin. Most lines spare the map, and with it the compiler.
 */
function isAsWritten({ source, body }: CompiledModule, line: number): boolean {
  return lineOf(source.replace(/^\uFEFF/, ""), line) === lineOf(body, line);
}

function lineOf(text: string, line: number): string {
  return text.split("\n", line)[line - 1] ?? "";
}

/**
 * The call of an import is compiled to `(0, namespace.name)(...)`, for which V8 tells the place of the arguments; for the
 * call in the source it tells the place of the name.
 */
function calleeStart(source: string, line: number, column: number): TextPosition {
  const before = source.split("\n")[line - 1] ?? "";
  if (before[column - 1] !== "(") return { line, column };
  const name = /[\p{ID_Continue}$]+$/u.exec(before.slice(0, column - 1));
  return { line, column: name ? name.index + 1 : column };
}
