/** The lines that the command line prints for each event. Pure: what is printed, and where, is decided by the caller. */

import { shownPath } from "../common/paths.js";
import type { SerializedError, SourceLocation } from "../common/protocol/serialized-error.js";
import { editText } from "./edits.js";
import type {
  FailureReport,
  ListeningReport,
  LogLevel,
  LogReport,
  ReloadReport,
  RestartReason,
  RestartReport,
  StaleReferencesReport,
  SupervisorEvent,
  SwappedFile,
  WorkerExitReport,
} from "./report.js";

export interface LineStyle {
  readonly format: "pretty" | "json";
  /** Lines below this level are left out. */
  readonly level: LogLevel | "silent";
  /** Folder that shown paths are relative to. */
  readonly cwd: string;
  /** Say for every loaded file why it was loaded. */
  readonly why: boolean;
  readonly onError: "page" | "last-good";
  /** The supervisor ends with the app, which has told its end itself, as under Node. */
  readonly exit: boolean;
}

export interface ReportLine {
  readonly level: LogLevel;
  /** Without a line break. */
  readonly text: string;
}

const PREFIX = "unreloader: ";
/** A burst of saves is one reload: so many of its files are named in one line. */
const NAMED_FILES = 3;
const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** The lines of one event, none when its level is not asked for. */
export function reportLines(event: SupervisorEvent, style: LineStyle): ReportLine[] {
  const level = levelOf(event);
  if (LEVELS.indexOf(level) < LEVELS.indexOf(style.level)) return [];
  const texts = style.format === "json" ? [jsonLine(event)] : prettyLines(event, style);
  return texts.map((text) => ({ level, text: withoutControls(text) }));
}

/** A line as a logger wants it, which says by itself who speaks and at which level. */
export function messageOf({ text }: ReportLine): string {
  return text.startsWith(PREFIX) ? text.slice(PREFIX.length).replace(/^(?:warning|error): /, "") : text;
}

/**
 * The explanation of a reload: for `--why` and the `w` key. What kinds of edits it was, then one line a file, in evaluation
 * order.
 */
export function whyLines(report: ReloadReport, cwd: string): string[] {
  const swapped = report.swapped?.map(({ file, functions }) => swappedLine(file, functions, cwd)) ?? [];
  return [...editLines(report, cwd), ...swapped, ...report.loaded.map((file) => loadedLine(file, report, cwd))];
}

/** One line for each kind; with more than one, the files are named. */
function editLines({ code, edits }: Pick<ReloadReport, "code" | "edits">, cwd: string): string[] {
  const codes = [...new Set([...edits.map((edit) => edit.code), code])].sort();
  return codes.map((each) => {
    const files = edits.flatMap((edit) => (edit.code === each ? [edit.file] : []));
    const named = codes.length === 1 || files.length === 0 ? "" : `${someFiles(files, cwd)}: `;
    return withoutControls(`  ${each} ${named}${editText(each)}`);
  });
}

function swappedLine(file: string, functions: readonly string[], cwd: string): string {
  const named = functions.length === 0 ? "nothing that runs differs" : functions.join(", ");
  return withoutControls(`  ${shownPath(file, cwd)}: ${named}`);
}

function loadedLine(file: string, report: ReloadReport, cwd: string): string {
  const chain = (report.why[file] ?? []).filter((link, index) => index > 0 || link !== file);
  const leads = chain.map((link) => shownPath(link, cwd));
  const reason = leads.length === 0 ? changeReason(report.changed.includes(file)) : `<- ${leads.join(" <- ")}`;
  return withoutControls(`  ${shownPath(file, cwd)} ${reason}`);
}

/**
 * A failure, complete: what failed, who imports it, what still works, what to do next.
 * The first line is the error's own, the others are indented; the source frame comes last.
 */
export function failureBlock(report: FailureReport, style: Pick<LineStyle, "cwd" | "onError">): string[] {
  const { error } = report;
  const failed = error.location ? `${shownLocation(error.location, style.cwd)} ` : "";
  return [
    report.ended && headingOf(error) === "EvaluationError"
      ? `UncaughtError: ${failed}nobody has caught: ${firstLine(error.message)}`
      : `${headingOf(error)}: ${failed}${deedOf(error)}${firstLine(error.message)}`,
    ...failureDetails(report, style),
  ];
}

/** `http://HOST:PORT`, with the brackets that an IPv6 address needs; a socket's path is given as it is. */
export function publicUrl({ protocol, host, port }: Pick<ListeningReport, "protocol" | "host" | "port">): string {
  if (protocol === "path") return host;
  return `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function levelOf(event: SupervisorEvent): LogLevel {
  switch (event.event) {
    case "listening":
    case "restarted":
      return "info";
    case "reload":
      // A failure has an event of its own, a restart too; that nothing changed is worth a line only when asked for.
      return event.report.kind === "reloaded" ? "info" : "debug";
    case "failed":
      // Who has ended it knows.
      return event.report.error.code === "ERR_UNRELOADER_CLOSED" ? "debug" : "error";
    case "worker-exit":
      return isCalm(event.report) ? "info" : "error";
    case "stale-references":
      return event.report.inUse ? "info" : "warn";
    case "log":
      return event.report.level;
    default:
      return event satisfies never;
  }
}

/** A script that has done its work. */
function isCalm({ cause }: WorkerExitReport): boolean {
  return cause.type === "ended" && cause.code === 0;
}

function jsonLine({ event, report }: SupervisorEvent): string {
  return JSON.stringify({ event, ...report });
}

function prettyLines(event: SupervisorEvent, style: LineStyle): string[] {
  switch (event.event) {
    case "listening":
      return [listeningLine(event.report)];
    case "reload":
      return reloadLines(event.report, style);
    case "failed":
      return [failedLine(event.report, style.cwd), ...failureRows(event.report, style)];
    case "restarted":
      return [
        restartedLine(event.report, style.cwd),
        ...(style.why ? [`  ${event.report.code} ${editText(event.report.code)}`] : []),
      ];
    case "worker-exit":
      return [workerExitLine(event.report, style.cwd)];
    case "stale-references":
      return [staleLine(event.report, style.cwd)];
    case "log":
      return [logLine(event.report)];
    default:
      return event satisfies never;
  }
}

function listeningLine(report: ListeningReport): string {
  const what = report.reloads === false ? "reloads are off, started" : `${report.modules} modules`;
  return `${PREFIX}listening on ${publicUrl(report)} (${what} in ${milliseconds(report.durationMs)})`;
}

function reloadLines(report: ReloadReport, style: LineStyle): string[] {
  switch (report.kind) {
    case "reloaded": {
      if (report.swapped) return swappedLines(report, report.swapped, style);
      const of = report.loaded.length + report.kept;
      const counts = `reloaded ${report.loaded.length} of ${of} modules in ${milliseconds(report.durationMs)}`;
      const cause =
        report.changed.length > 0 ? changedFiles(report.changed, style.cwd) : invalidatedFiles(report, style.cwd);
      const line = `${PREFIX}${counts} (generation ${report.generation})${cause}`;
      return style.why ? [line, ...whyLines(report, style.cwd)] : [line];
    }
    case "unchanged":
      return [`${PREFIX}nothing has changed (generation ${report.generation})`];
    // Told by the events `restarted` and `failed`.
    case "restarted":
    case "failed":
      return [];
    default:
      return report.kind satisfies never;
  }
}

function swappedLines(report: ReloadReport, swapped: readonly SwappedFile[], { cwd, why }: LineStyle): string[] {
  const count = swapped.reduce((sum, { functions }) => sum + functions.length, 0);
  const [first] = swapped;
  const of = swapped.length === 1 && first ? shownPath(first.file, cwd) : `${swapped.length} files`;
  const what = `swapped ${count} function${count === 1 ? "" : "s"} of ${of} in ${milliseconds(report.durationMs)}`;
  const line = `${PREFIX}${what} (generation ${report.generation})`;
  return why ? [line, ...whyLines(report, cwd)] : [line];
}

function failedLine({ generation, gone, error }: FailureReport, cwd: string): string {
  const what =
    generation === 0 ? "start failed" : gone ? "restart failed" : `reload failed (generation ${generation} kept)`;
  const where = error.location ? `${shownLocation(error.location, cwd)} ` : "";
  return `${PREFIX}${what}: ${where}${firstLine(error.message)}`;
}

function failureRows(report: FailureReport, style: LineStyle): string[] {
  if (!style.exit || report.generation > 0) return failureDetails(report, style);
  // Nobody waits for another start. What the app's own code has thrown is there already.
  return headingOf(report.error) === "EvaluationError" ? [] : frameLines(report.error);
}

function frameLines({ frame }: SerializedError): string[] {
  return frame === undefined ? [] : frame.split("\n").map((line) => `  ${line}`);
}

function failureDetails(
  { generation, gone, error, importedBy }: FailureReport,
  { cwd, onError }: Pick<LineStyle, "cwd" | "onError">,
): string[] {
  const rows: string[] = [];
  if (importedBy.length > 0) rows.push(row("imported by", importedBy.map((file) => shownPath(file, cwd)).join(" <- ")));
  if (error.code === "ERR_UNRELOADER_WORKER_EXIT")
    rows.push(row("requests get", "this failure, until a file is saved"));
  else if (generation === 0) rows.push(row("requests get", "this failure, until it is fixed"));
  else if (gone)
    rows.push(row("requests get", `this failure, until it is fixed; the worker of generation ${generation} has ended`));
  else if (onError === "last-good") rows.push(row("still serving", `generation ${generation}`));
  else rows.push(row("requests get", `this failure, until it is fixed; generation ${generation} is whole`));
  if (error.location) rows.push(row("to retry", `save ${shownPath(error.location.file, cwd)}, or any file it imports`));
  return [...rows, ...frameLines(error)];
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(16)}${value}`;
}

function restartedLine({ epoch, modules, durationMs, reason }: RestartReport, cwd: string): string {
  const counts = `restarted ${modules} modules in ${milliseconds(durationMs)} (epoch ${epoch})`;
  return `${PREFIX}${counts}${restartReason(reason, cwd)}`;
}

function restartReason(reason: RestartReason, cwd: string): string {
  switch (reason.type) {
    case "changed":
      return changedFiles(reason.files, cwd);
    case "declined":
      return `${changedFiles(reason.files, cwd)}, and ${shownPath(reason.by, cwd)} has declined to be replaced`;
    case "asked":
      return ": asked for";
    case "workerExit":
      return ": the worker had exited";
    case "reloadFailed":
      return `: the reload failed (${firstLine(reason.error.message)}), a fresh worker runs`;
    case "blocked":
      return `${changedFiles(reason.files, cwd)}, and the app's thread did not answer`;
    case "purgedRuns":
      return `: ${shownLocation(reason.location, cwd)} is from before the last reload, and did not come to an end`;
    case "stuck":
      return `: ${shownPath(reason.file, cwd)} was purged, but its ${reason.what} stays`;
    case "stale":
      return `: something keeps an old version of ${shownPath(reason.file, cwd)}`;
    default:
      return reason satisfies never;
  }
}

function workerExitLine({ cause, entry, next, afterMs }: WorkerExitReport, cwd: string): string {
  if (cause.type === "ended") {
    const missing = cause.missing === undefined ? "" : ` (${cause.missing})`;
    const then = next === "closing" ? "" : "; waiting for a save (--exit: end with it)";
    return `${PREFIX}${shownPath(entry, cwd)} ended with code ${cause.code}${missing}${then}`;
  }
  const when = afterMs === undefined ? "" : ` in ${afterMs / 1000} s`;
  const isProcess = cause.type === "crashed" && cause.error.name === "ProcessEndError";
  const what = isProcess ? firstLine(cause.error.message) : `worker exited: ${exitCause(cause, cwd)}`;
  return `${PREFIX}${what}; ${next}${when}`;
}

function exitCause(cause: WorkerExitReport["cause"], cwd: string): string {
  if (cause.type !== "crashed") return `process.exit(${cause.code})`;
  const where = cause.error.location ? `${shownLocation(cause.error.location, cwd)} ` : "";
  return `${where}uncaught ${cause.error.name}: ${firstLine(cause.error.message)}`;
}

function staleLine(report: StaleReferencesReport, cwd: string): string {
  const { file, class: name, entry, count, generation, inUse } = report;
  const versions = count === 1 ? "1 old version" : `${count} old versions`;
  const what = name === undefined ? shownPath(file, cwd) : `${name} (${shownPath(file, cwd)})`;
  const since = `purged ${count === 1 ? "in" : "since"} generation ${generation}`;
  if (entry !== undefined) {
    return `${PREFIX}stale references: ${versions} of ${what}, ${since}, registered ${entry}, which does not let it go`;
  }
  const next = inUse ? "an open request or connection may hold it" : "unreloader explain-leak says by whom";
  return `${PREFIX}stale references: ${versions} of ${what}, ${since}, can still be reached; ${next}`;
}

function logLine({ level, message }: LogReport): string {
  return `${PREFIX}${level === "warn" ? "warning: " : level === "error" ? "error: " : ""}${message}`;
}

function changedFiles(files: readonly string[], cwd: string): string {
  return files.length === 0 ? "" : `: ${someFiles(files, cwd)} changed`;
}

function invalidatedFiles({ invalidated = [] }: ReloadReport, cwd: string): string {
  return invalidated.length === 0 ? "" : `: invalidated by ${someFiles(invalidated, cwd)}`;
}

function someFiles(files: readonly string[], cwd: string): string {
  const named = files.slice(0, NAMED_FILES).map((file) => shownPath(file, cwd));
  const others = files.length - named.length;
  return `${named.join(", ")}${others > 0 ? ` and ${others} more` : ""}`;
}

function changeReason(changed: boolean): string {
  return changed ? "changed" : "newly used";
}

function headingOf(error: SerializedError): string {
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

function shownLocation({ file, line, column }: SourceLocation, cwd: string): string {
  return `${shownPath(file, cwd)}:${line}:${column}`;
}

/** A report's first line stays one line, whatever the app's message holds. */
function firstLine(message: string): string {
  return message.trim().split(/\r?\n/, 1)[0] ?? "";
}

/** File names and messages are anybody's: what a terminal would obey is shown instead. */
function withoutControls(text: string): string {
  return text.replace(CONTROLS, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** All but the tab, which source frames have. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\0-\x08\x0a-\x1f\x7f-\x9f]/g;

/** Whole milliseconds, at least one: nothing takes none. */
function milliseconds(duration: number): string {
  return `${Math.max(1, Math.round(duration))} ms`;
}
