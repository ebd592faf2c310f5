/** The last word on syntax has the engine: regular expressions, and what this version of Node does not know yet. */
import v8 from "node:v8";
import vm from "node:vm";
import type { TextPosition } from "./code-frame.js";
import type { CompiledModule } from "./compiled-module.js";

export interface EngineProblem {
  readonly message: string;
  /** In the module's `body`. */
  readonly position: TextPosition;
}

/** Undefined when the runtime will be able to compile `compiled`; nothing is run. Not for `json` modules. */
export function findEngineProblem(compiled: CompiledModule): EngineProblem | undefined {
  const { format, interop, prologue, body } = compiled;
  const names = "(function (exports, require, module, __filename, __dirname) {";
  const [head, tail] =
    format === "commonjs"
      ? [names, "})"]
      : [
          `${interop === "none" ? "" : names}(async function (__ur) { 'use strict'; ${prologue}`,
          interop === "none" ? "})" : "})})",
        ];
  // V8 would keep the text of every version it has checked (1.5 KB and more for each save).
  v8.setFlagsFromString("--no-compilation-cache");
  try {
    new vm.Script(`${head}\n${body}\n${tail}`, { filename: MARK, lineOffset: -1 });
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The engine tells the place only in the text of the stack: file and line, the source line, a caret.
    const [place = "", , caret = ""] = error.stack?.split("\n") ?? [];
    const line = Number(place.slice(MARK.length + 1)) || 1;
    return { message: error.message, position: { line, column: Math.max(1, caret.indexOf("^") + 1) } };
  } finally {
    v8.setFlagsFromString("--compilation-cache");
  }
}

const MARK = "unreloader-check";
