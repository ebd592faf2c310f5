/** Main is told what this thread waits for: modules, hooks and clean-up, requests. */
import { placeOfAwait } from "../src/common/compile/await-mark.js";
import type { ThreadWait } from "../src/common/protocol/messages.js";
import type { AppParts } from "./assemble.js";
import type { EsmModule } from "./runtime/module-record.js";

export function threadWaits({ runtime, waits, listen }: Pick<AppParts, "runtime" | "waits" | "listen">): ThreadWait[] {
  const now = performance.now();
  const told = runtime.waiting().map((module) => evaluatingWait(module));
  for (const { what, file, since } of waits.all) {
    told.push({ type: "hook", what, ...(file !== undefined && { file }), ageMs: now - since });
  }
  const requests = listen.requests.drainedFor();
  if (requests.length > 0) told.push({ type: "requests", requests });
  return told;
}

/** A module whose evaluation waits. */
function evaluatingWait({ record, prepared, awaiting }: EsmModule): ThreadWait {
  const { compiled } = prepared;
  const place = awaiting === undefined ? undefined : placeOfAwait(compiled.body, awaiting);
  return {
    type: "evaluating",
    file: record.file,
    hash: compiled.hash,
    ...(place && { position: { line: place.line, column: place.column } }),
  };
}
