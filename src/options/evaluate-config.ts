/** Evaluates a configuration file in this thread, because options may be functions. */
import path from "node:path";
import { errorText, OptionError } from "../common/errors.js";
import type { EvaluateHere } from "../common/protocol/evaluate-here.js";
import type { SourceLocation } from "../common/protocol/serialized-error.js";

/**
 * By its path, as the app's thread is started. Node's own loader (src/node-loader) is no choice here: before Node 22.15 its
 * hooks stay, in a thread of their own, to the end of the process; an ES module is evaluated once in a process; and
 * TypeScript in a package without a type becomes CommonJS, where no top-level await is possible.
 */
const EVALUATE_HERE = new URL("../../workers/evaluate-here.js", import.meta.url).href;

export interface EvaluatedConfig {
  /** The default export. */
  readonly exported: unknown;
  /** The file and every file of the project that it imports. */
  readonly files: readonly string[];
}

/** @throws OptionError with the place in the source. */
export async function evaluateConfig(file: string): Promise<EvaluatedConfig> {
  const { default: evaluateHere } = (await import(EVALUATE_HERE)) as { default: EvaluateHere };
  const { outcome, files } = await evaluateHere(file);
  if (outcome.type === "evaluated") return { exported: Reflect.get(outcome.exports, "default"), files };
  throw new OptionError(`${placeOf(file, outcome.location)}: ${firstLine(outcome.error)}`);
}

/** The place in a file that the configuration imports, relative to the configuration. */
function placeOf(config: string, location: SourceLocation | undefined): string {
  if (!location) return path.basename(config);
  return `${path.relative(path.dirname(config), location.file)}:${location.line}:${location.column}`;
}

function firstLine(error: unknown): string {
  return errorText(error).trim().split(/\r?\n/, 1)[0] ?? "";
}
