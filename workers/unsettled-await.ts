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

export class UnsettledAwait {
  readonly #options: UnsettledAwaitOptions;

  /** To be made before the app's own listeners are there: Node's, which an app may take away, is there before them. */
  constructor(options: UnsettledAwaitOptions) {
    this.#options = options;
    process.on("exit", this.#onExit);
  }

  /** Nothing waits for the evaluation any more: it has settled, or the app has ended it. A second call does no harm. */
  over(): void {
    process.off("exit", this.#onExit);
  }

  /** `byItself`: the event loop is empty. Returns the code that the process has by it, unless the app has set one. */
  ending(byItself: boolean): number | undefined {
    if (!byItself) this.over();
    if (process.exitCode !== undefined || !process.listeners("exit").includes(this.#onExit)) return undefined;
    process.exitCode = UNSETTLED;
    return UNSETTLED;
  }

  readonly #onExit = (): void => {
    if (process.exitCode !== UNSETTLED) return;
    const module = this.#options.waiting().findLast(({ awaiting }) => awaiting !== undefined);
    // The thread's own streams would not come to write it.
    if (module !== undefined) rawDebug(warning(module, this.#options));
  };
}

function warning({ record, prepared: { compiled }, awaiting }: EsmModule, options: UnsettledAwaitOptions): string {
  const where = pathToFileURL(record.file).href;
  const place = awaiting === undefined ? undefined : placeOfAwait(compiled.body, awaiting);
  if (place === undefined) return `Warning: Detected unsettled top-level await at ${where}`;
  const { line, column } = originalPlace(compiled, place, () => new TraceMap(options.sourceMap(compiled) as never));
  const text = compiled.source.split(/\r?\n/)[line - 1] ?? "";
  return `Warning: Detected unsettled top-level await at ${where}:${line}\n${text}\n${" ".repeat(column - 1)}^\n\n\n`;
}

function rawDebug(text: string): void {
  (process as unknown as { _rawDebug(text: string): void })._rawDebug(text);
}
