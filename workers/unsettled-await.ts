/**
 * A start that waits for what nothing will bring: the event loop is empty while a top-level await has not settled. Node ends
 * with a code of its own then, and says where.
 */
import { pathToFileURL } from "node:url";
import { placeOfAwait } from "../src/common/compile/await-mark.js";
import type { CompiledModule } from "../src/common/compile/compiled-module.js";
import { originalPlace } from "../src/common/compile/original-place.js";
import type { EncodedSourceMap } from "../src/common/compile/source-map.js";
import { TraceMap } from "../src/common/compile/trace-map.js";
import type { EsmModule } from "./runtime/module-record.js";

/** As Node's docs have it, in `process`, "Exit codes". */
const UNSETTLED = 13;

export interface UnsettledAwaitOptions {
  /** Modules whose evaluation waits, those that others wait for last. */
  waiting(): readonly EsmModule[];
  sourceMap(compiled: CompiledModule): EncodedSourceMap;
}

/** Begins a start, and returns what ends it. To be called before the app's own listeners are there, as Node's is. */
export function watchUnsettledAwait(options: UnsettledAwaitOptions): () => void {
  const onExit = (): void => {
    process.exitCode ??= UNSETTLED;
    if (process.exitCode !== UNSETTLED) return;
    const module = options.waiting().findLast(({ awaiting }) => awaiting !== undefined);
    // The thread's own streams would not come to write it.
    if (module !== undefined) rawDebug(warning(module, options));
  };
  process.on("exit", onExit);
  return () => process.off("exit", onExit);
}

function warning({ record, prepared: { compiled }, awaiting }: EsmModule, options: UnsettledAwaitOptions): string {
  const where = pathToFileURL(record.file).href;
  const place = awaiting === undefined ? undefined : placeOfAwait(compiled.body, awaiting);
  if (place === undefined) return `Warning: Detected unsettled top-level await at ${where}`;
  const { line, column } = originalPlace(compiled, place, () => new TraceMap(options.sourceMap(compiled) as never));
  const text = compiled.source.split(/\r?\n/)[line - 1] ?? "";
  return `Warning: Detected unsettled top-level await at ${where}:${line}\n${text}\n${" ".repeat(column - 1)}^\n\n`;
}

function rawDebug(text: string): void {
  (process as unknown as { _rawDebug(text: string): void })._rawDebug(text);
}
