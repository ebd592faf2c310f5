/** A page as JSON: its shape is in docs/pages.md, and stays. Pure. */
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { OwnPage } from "./own-page.js";

export function pageJson({ status, text, error, lastLines, failure }: OwnPage, id: string): string {
  const { report, age, onError } = failure ?? {};
  const page = {
    status,
    page: id,
    error: error === undefined ? { message: text.trimEnd() } : errorJson(error),
    ...(lastLines && { lastLines }),
    ...(report && {
      importedBy: report.importedBy,
      generation: report.generation,
      epoch: report.epoch,
      changed: report.changed,
      stillServing: onError === "last-good" && !report.gone && report.generation > 0 ? report.generation : null,
      lastLines: report.lastLines ?? [],
      isNew: age?.isNew ?? null,
      sinceGeneration: age?.sinceGeneration ?? report.generation,
    }),
  };
  return `${JSON.stringify(page, undefined, 2)}\n`;
}

function errorJson({ name, code, message, location, frame, stack, cause }: SerializedError): object {
  return {
    name,
    ...(code !== undefined && { code }),
    message,
    ...location,
    ...(frame !== undefined && { frame }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause: errorJson(cause) }),
  };
}
