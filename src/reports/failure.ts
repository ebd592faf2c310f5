/** What is told about a failure: to the request that meets it, and to listeners of events. Pure. */
import type { SourceError } from "../common/errors.js";
import { type SerializedError, serializeError } from "../common/protocol/serialized-error.js";
import { visibleLines } from "../common/visible-text.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import type { FailureAge, PageFailure } from "../pages/own-page.js";
import { failureBlock } from "./failure-lines.js";

/** Lines of the app that are told about its end. */
export const LAST_LINES = 20;

/** Plain text: the failure, who imports it, what still works, the stack in the user's source, and the causes. */
export function failureText({ report, onError, age }: PageFailure, cwd: string): string {
  const lines = failureBlock(report, { cwd, onError });
  const { stack, cause } = report.error;
  const written = writtenLines(report.lastLines ?? []);
  const all = [...lines, ...ageLines(age), ...(stack ? ["", stack] : []), ...causeLines(cause), ...written];
  return `${all.map(visibleLines).join("\n")}\n`;
}

/** The same of a worker that has ended before it had answered. `isLast`: the supervisor ends with it. */
export function deathText(error: SerializedError, lastLines: readonly string[], isLast: boolean): string {
  const { message, frame, stack, cause } = error;
  const lines = [`The app's worker ended before it answered this request: ${message}`];
  if (!isLast) lines.push("A fresh worker follows; send the request again.");
  if (frame !== undefined) lines.push("", ...frame.split("\n").map((line) => `  ${line}`));
  if (stack !== undefined) lines.push("", stack);
  lines.push(...causeLines(cause), ...writtenLines(lastLines));
  return `${lines.map(visibleLines).join("\n")}\n`;
}

function writtenLines(lastLines: readonly string[]): string[] {
  return lastLines.length === 0 ? [] : ["", "The app's last lines:", ...lastLines.map((line) => `  ${line}`)];
}

function ageLines(age: FailureAge | undefined): string[] {
  if (age === undefined) return [];
  return ["", age.isNew ? "New since the last edit." : "Was there before the last edit."];
}

function causeLines(cause: SerializedError | undefined): string[] {
  if (cause === undefined) return [];
  const { name, message, stack, frame, cause: next } = cause;
  const framed = frame === undefined ? [] : frame.split("\n").map((line) => `  ${line}`);
  return ["", `Caused by: ${stack ?? `${name}: ${message}`}`, ...framed, ...causeLines(next)];
}

/** Files that import the one an error is in, nearest first, up to the entry. */
export function importersOf(error: SerializedError, graph: ModuleGraph | undefined, entry: string): string[] {
  const file = error.location?.file;
  return file === undefined ? [] : importerChain(file, graph, entry);
}

/** Files that lead to this one, nearest first, up to the entry. */
export function importerChain(from: string, graph: ModuleGraph | undefined, entry: string): string[] {
  const chain: string[] = [];
  const seen = new Set<string>();
  let file: string | undefined = from;
  while (file !== undefined && file !== entry && !seen.has(file)) {
    seen.add(file);
    const importer: string | undefined = [...(graph?.importersOf(file) ?? [])].find(
      (candidate) => !seen.has(candidate),
    );
    if (importer !== undefined) chain.push(importer);
    file = importer;
  }
  return chain;
}

/** Without the stack, which is the compiler's and says nothing about the app. */
export function serializeSourceError(error: SourceError): SerializedError {
  return { ...serializeError(error, () => ({ location: error.location, frame: error.frame })), stack: undefined };
}
