/**
 * What Node prints of an exception that nobody catches: in the main thread it does so itself, in another one it leaves it to
 * those who have made the thread.
 */
import fs from "node:fs";
import { pathToFileURL } from "node:url";
import { inspect, types } from "node:util";
import { FLUSH_MS } from "../src/common/deadlines.js";
import type { SourceLocation } from "../src/common/protocol/serialized-error.js";

const STDERR = 2;
/** What the app writes is kept (last-lines.ts); this is not the app's. */
const { writeSync } = fs;
/** Between two attempts to write to a pipe that is full. */
const FULL_PIPE_MS = 5;
/** Node shows at least so much of what an error has. */
const DEPTH = 5;

export interface OwnText {
  readonly source: string;
  readonly isModule: boolean;
}

export function uncaughtText(
  error: unknown,
  location: SourceLocation | undefined,
  textOf: (file: string) => OwnText | undefined,
): string {
  const place = location && placeLines(location, textOf(location.file));
  const hint = isObject(error) ? "" : "\n(Use `node --trace-uncaught ...` to show where the exception was thrown)";
  return `${place ?? "Uncaught:"}\n${shown(error)}${hint}\n`;
}

/** The last line of all. */
export function versionText(): string {
  return process.execArgv.includes("--no-extra-info-on-fatal-exception") ? "" : `\nNode.js ${process.version}\n`;
}

function placeLines({ file, line, column }: SourceLocation, own: OwnText | undefined): string | undefined {
  const text = own?.source.split(/\r?\n/)[line - 1];
  if (!own || text === undefined) return undefined;
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, " ");
  return `${own.isModule ? pathToFileURL(file).href : file}:${line}\n${text}\n${indent}^\n`;
}

/** As lib/internal/errors.js, `fatalExceptionStackEnhancers`. */
function shown(error: unknown): string {
  if (!isObject(error)) return String(error);
  const colors = process.stderr.isTTY === true && process.stderr.hasColors();
  try {
    const depth = Math.max(inspect.defaultOptions.depth ?? Number.POSITIVE_INFINITY, DEPTH);
    const enhance = enhancerOf(error);
    if (enhance) Object.defineProperty(error, "stack", { value: enhance(error), writable: true, configurable: true });
    return inspect(error, { colors, customInspect: false, depth });
  } catch {
    return String((error as Error).stack);
  }
}

function isObject(error: unknown): error is object {
  return typeof error === "function" || (typeof error === "object" && error !== null);
}

/** An event `error` without a listener: Node notes where it was emitted. */
function enhancerOf(error: object): ((error: object) => string) | undefined {
  if (types.isProxy(error)) return undefined;
  const name = Object.getOwnPropertySymbols(error).find(
    ({ description }) => description === "kEnhanceStackBeforeInspector",
  );
  return name && (Reflect.get(error, name) as (error: object) => string);
}

/** As Node does in the main thread, when the app or a flag asks for it. */
export function reportUncaught(error: unknown): void {
  const { report } = process;
  if (report?.reportOnUncaughtException !== true) return;
  try {
    report.writeReport(error instanceof Error ? error : undefined);
  } catch (failed) {
    // The app has named a file that cannot be written: the exception is what is to be told.
    if (!(failed instanceof Error)) throw failed;
  }
}

/** Whole, and before the thread ends: the streams of the thread would come to it too late. */
export function writeUncaught(text: string, written: (bytes: Uint8Array) => void): void {
  let left: Uint8Array = Buffer.from(text);
  written(left);
  const end = performance.now() + FLUSH_MS;
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(STDERR, left));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || performance.now() > end) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_MS);
    }
  }
}
