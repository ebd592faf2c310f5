/** What a request is told while the newest code is broken. Pure. */
import type { FailureReport } from "./report.js";
import { failureBlock } from "./report-lines.js";

/** Plain text: the failure, who imports it, what still works, and the stack in the user's source. */
export function failureText(report: FailureReport, style: { cwd: string; onError: "page" | "last-good" }): string {
  const lines = failureBlock(report, style);
  const stack = report.error.stack;
  return `${[...lines, ...(stack ? ["", stack] : [])].join("\n")}\n`;
}
