/** What is waited for, in words: for lines, and for the pages of those who wait. Pure. */

import { shownPath } from "../common/paths.js";
import type { ThreadWait } from "../common/protocol/messages.js";
import type { SourceLocation } from "../common/protocol/serialized-error.js";

export interface WaitContext {
  /** Folder that shown paths are relative to. */
  readonly cwd: string;
  /** The place in the source of a place in the compiled text with this hash; the line alone when it is not known. */
  locate(file: string, hash: string, position: { readonly line: number; readonly column: number }): SourceLocation;
  /** Files that lead to this one, nearest first. */
  importersOf(file: string): readonly string[];
}

/** So many requests are named. */
const NAMED_REQUESTS = 3;
const NAMED_IMPORTERS = 3;

/** `still evaluating src/db.ts:12, a top-level await; imported by src/app.ts`; undefined when nothing is waited for. */
export function waitText(waits: readonly ThreadWait[], context: WaitContext): string | undefined {
  // A hook that waits is the reason why what it belongs to waits.
  const last = waits.findLast(({ type }) => type === "hook") ?? waits[0];
  if (last === undefined) return undefined;
  switch (last.type) {
    case "evaluating":
      return evaluatingText(last, context);
    case "hook":
      return `waiting for ${last.what}${last.file === undefined ? "" : ` of ${shownPath(last.file, context.cwd)}`}`;
    case "requests":
      return requestsText(last.requests);
    default:
      return last satisfies never;
  }
}

/** What `waitText` gives, to follow "it waits for ". */
export function waitedFor(text: string): string {
  return text.replace(/^waiting for /, "").replace(/^still evaluating /, "the evaluation of ");
}

function evaluatingText(wait: ThreadWait & { type: "evaluating" }, context: WaitContext): string {
  const { file, hash, position } = wait;
  const line = position && context.locate(file, hash, position).line;
  const what = line === undefined ? "which waits for a package that it imports" : "a top-level await";
  const place = line === undefined ? shownPath(file, context.cwd) : `${shownPath(file, context.cwd)}:${line}`;
  const importers = context.importersOf(file).slice(0, NAMED_IMPORTERS);
  const importedBy = importers.map((importer) => shownPath(importer, context.cwd)).join(" <- ");
  return `still evaluating ${place}, ${what}${importedBy === "" ? "" : `; imported by ${importedBy}`}`;
}

function requestsText(requests: readonly { label?: string | undefined; ageMs: number }[]): string {
  const count = requests.length === 1 ? "1 request" : `${requests.length} requests`;
  const named = requests
    .slice(0, NAMED_REQUESTS)
    .flatMap(({ label, ageMs }) => (label === undefined ? [] : [`${label} (${Math.round(ageMs / 1000)} s)`]));
  const more = named.length > 0 && requests.length > named.length ? ", ..." : "";
  return `waiting for ${count} in flight${named.length > 0 ? `: ${named.join(", ")}${more}` : ""}`;
}
