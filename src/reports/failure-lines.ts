/** The lines about a failure: what failed, where, by whom, what still works, what to do next. Pure. */
import { shownPath } from "../common/paths.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { FailureReport } from "./report.js";
import { firstLine, furtherLines, placeOf, type Row, shownLocation, shownRow, stackRows } from "./stack-lines.js";

/** As much of the style of a line as a failure needs. */
export interface FailureStyle {
  /** Folder that shown paths are relative to. */
  readonly cwd: string;
  readonly onError: "page" | "last-good";
}

/**
 * A failure, complete: what failed, who imports it, what still works, what to do next.
 * The first line is the error's own, the others are indented; the source frame comes last.
 */
export function failureBlock(report: FailureReport, style: FailureStyle): string[] {
  const { error } = report;
  const failed = error.location ? `${shownLocation(error.location, style.cwd)} ` : "";
  return [
    report.ended && headingOf(error) === "EvaluationError"
      ? `UncaughtError: ${failed}nobody has caught: ${firstLine(error.message)}`
      : `${headingOf(error)}: ${failed}${deedOf(error)}${firstLine(error.message)}`,
    ...furtherLines(error.message),
    ...failureDetails(report, style),
  ];
}

/** What has failed, where, and why: in one line. */
export function failedLine({ generation, gone, error }: FailureReport, cwd: string): string {
  const what =
    generation === 0 ? "start failed" : gone ? "restart failed" : `reload failed (generation ${generation} kept)`;
  const place = placeOf(error);
  const where = place ? `${shownLocation(place, cwd)} ` : "";
  return `${what}: ${where}${firstLine(error.message)}`;
}

/** What follows that line. `exit`: the supervisor ends with the app, which has told its end itself, as under Node. */
export function failureRows(report: FailureReport, style: FailureStyle & { readonly exit: boolean }): string[] {
  const { error, generation } = report;
  if (!style.exit || generation > 0) {
    const further = isTold(error) ? [] : furtherLines(error.message);
    return [...further, ...failureDetails(report, style, isTold(error) ? [] : stackRows(error, style.cwd))];
  }
  // Nobody waits for another start. What the app's own code has thrown is there already.
  return headingOf(error) === "EvaluationError" ? [] : frameLines(error);
}

/** The app has ended by it, and has shown it as Node would, stack and all. */
function isTold({ code }: SerializedError): boolean {
  return code === "ERR_UNRELOADER_WORKER_EXIT";
}

function frameLines({ frame }: SerializedError): string[] {
  return frame === undefined ? [] : frame.split("\n").map((line) => `  ${line}`);
}

function failureDetails(
  { generation, gone, error, importedBy }: FailureReport,
  { cwd, onError }: FailureStyle,
  traced: readonly Row[] = [],
): string[] {
  const rows: Row[] = [];
  if (importedBy.length > 0) rows.push(["imported by", importedBy.map((file) => shownPath(file, cwd)).join(" <- ")]);
  rows.push(...traced);
  if (isTold(error)) rows.push(["requests get", "this failure, until a file is saved"]);
  else if (generation === 0) rows.push(["requests get", "this failure, until it is fixed"]);
  else if (gone)
    rows.push(["requests get", `this failure, until it is fixed; the worker of generation ${generation} has ended`]);
  else if (onError === "last-good") rows.push(["still serving", `generation ${generation}`]);
  else rows.push(["requests get", `this failure, until it is fixed; generation ${generation} is whole`]);
  if (error.location) rows.push(["to retry", `save ${shownPath(error.location.file, cwd)}, or any file it imports`]);
  return [...rows.map(shownRow), ...frameLines(error)];
}

/** What kind of error it is, as the first word of a failure. */
export function headingOf(error: SerializedError): string {
  switch (error.code) {
    case "ERR_UNRELOADER_COMPILE":
      return "CompileError";
    case "ERR_UNRELOADER_RESOLVE":
      return "ResolveError";
    case "ERR_UNRELOADER_LINK":
      return "LinkError";
    case "ERR_UNRELOADER_WORKER_EXIT":
      return "WorkerExitError";
    default:
      return "EvaluationError";
  }
}

function deedOf(error: SerializedError): string {
  return headingOf(error) === "EvaluationError" ? "threw while being evaluated: " : "";
}
