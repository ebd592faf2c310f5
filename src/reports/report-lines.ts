/** The lines that the command line prints for each event. Pure: what is printed, and where, is decided by the caller. */

import { shownPath } from "../common/paths.js";
import { visibleJson, visibleText } from "../common/visible-text.js";
import { editText } from "./edits.js";
import { failedLine, failureRows } from "./failure-lines.js";
import type {
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
import { firstLine, placeOf, type Row, shownLocation, shownRow, stackRows } from "./stack-lines.js";

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
  readonly banner?: Banner | undefined;
  /** Of lines of JSON. */
  readonly stamp?: LineStamp | undefined;
}

export interface LineStamp {
  /** ISO 8601. */
  readonly time: string;
  /** Of the supervisor. */
  readonly id: string;
}

/** What is said when the app listens, besides where; or when it runs and does not. */
export interface Banner {
  /** Of unreloader. */
  readonly version: string;
  readonly node: string;
  readonly entry: string;
  /** Single keys are read. */
  readonly keys: boolean;
  /** It was said already: what is left is where an app listens that has begun to do so late. */
  readonly isSaid?: boolean;
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
  if (style.format === "json") return [{ level, text: visibleJson(jsonLine(event, level, style.stamp)) }];
  return prettyLines(event, style).map((text) => ({ level, text: visibleText(text) }));
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
    return `  ${each} ${named}${editText(each)}`;
  });
}

function swappedLine(file: string, functions: readonly string[], cwd: string): string {
  const named = functions.length === 0 ? "nothing that runs differs" : functions.join(", ");
  return `  ${shownPath(file, cwd)}: ${named}`;
}

function loadedLine(file: string, report: ReloadReport, cwd: string): string {
  const chain = (report.why[file] ?? []).filter((link, index) => index > 0 || link !== file);
  const leads = chain.map((link) => shownPath(link, cwd));
  const reason = leads.length === 0 ? changeReason(report.changed.includes(file)) : `<- ${leads.join(" <- ")}`;
  return `  ${shownPath(file, cwd)} ${reason}`;
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

/** By schema/lines.json. */
function jsonLine({ event, report }: SupervisorEvent, level: LogLevel, stamp: LineStamp | undefined): string {
  return JSON.stringify({ time: stamp?.time, level, id: stamp?.id, event, ...report });
}

function prettyLines(event: SupervisorEvent, style: LineStyle): string[] {
  switch (event.event) {
    case "listening":
      return [listeningLine(event.report), ...bannerRows(event.report, style)];
    case "reload":
      return reloadLines(event.report, style);
    case "failed":
      return [PREFIX + failedLine(event.report, style.cwd), ...failureRows(event.report, style)];
    case "restarted":
      return [
        restartedLine(event.report, style.cwd),
        ...(style.why ? [`  ${event.report.code} ${editText(event.report.code)}`] : []),
      ];
    case "worker-exit": {
      const banner = greets(event) && !style.exit ? bannerRows({}, style) : [];
      return [workerExitLine(event.report, style.cwd), ...exitRows(event.report, style.cwd), ...banner];
    }
    case "stale-references":
      return [staleLine(event.report, style.cwd)];
    case "log":
      return [logLine(event.report), ...(greets(event) ? bannerRows(event.report, style) : [])];
    default:
      return event satisfies never;
  }
}

function listeningLine(report: ListeningReport): string {
  const what = report.reloads === false ? "reloads are off, started" : `${report.modules} modules`;
  return `${PREFIX}listening on ${publicUrl(report)} (${what} in ${milliseconds(report.durationMs)})`;
}

/** What the banner is told with: the app listens, runs without that, or has done its work. */
export function greets(event: SupervisorEvent): boolean {
  switch (event.event) {
    case "listening":
      return true;
    case "log":
      return event.report.started !== undefined;
    case "worker-exit":
      return isCalm(event.report);
    default:
      return false;
  }
}

function bannerRows(report: Partial<ListeningReport> | LogReport, { banner, cwd }: LineStyle): string[] {
  if (banner === undefined) return [];
  const urls = "protocol" in report ? networkRows(report as ListeningReport) : [];
  // With the app ends everything.
  if (banner.isSaid) return urls.map(shownRow);
  const modules: Row[] =
    "started" in report && report.started
      ? [["modules", `${report.started.modules} in ${milliseconds(report.started.durationMs)}`]]
      : [];
  const help: Row[] = banner.keys ? [["help", "press h"]] : [];
  const rows: Row[] = [
    ["version", `${banner.version}, Node ${banner.node}`],
    ["entry", shownPath(banner.entry, cwd)],
  ];
  return [...rows, ...modules, ...urls, ...help].map(shownRow);
}

function networkRows({ protocol, port, network = [] }: ListeningReport): Row[] {
  return network.map((host): Row => ["network", publicUrl({ protocol, host, port })]);
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
      return report satisfies never;
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
    case "lost":
      return `: ${reason.route} is not found when ${shownPath(reason.file, cwd)} is evaluated again in place`;
    case "stale":
      return `: something keeps an old version of ${shownPath(reason.file, cwd)}`;
    default:
      return reason satisfies never;
  }
}

function workerExitLine({ cause, entry, next, afterMs }: WorkerExitReport, cwd: string): string {
  if (cause.type === "ended") {
    const missing = cause.missing === undefined ? "" : ` (${cause.missing})`;
    const waiting = next === "waiting for the port" ? next : "waiting for a save (--exit: end with it)";
    const then = next === "closing" ? "" : `; ${waiting}`;
    return `${PREFIX}${shownPath(entry, cwd)} ended with code ${cause.code}${missing}${then}`;
  }
  const when = afterMs === undefined ? "" : ` in ${afterMs / 1000} s`;
  const isProcess = cause.type === "crashed" && cause.error.name === "ProcessEndError";
  const what = isProcess ? firstLine(cause.error.message) : `worker exited: ${exitCause(cause, cwd)}`;
  return `${PREFIX}${what}; ${next}${when}`;
}

/** What the app has shown as Node would is not said again, but for what is worth finding in a long stack. */
function exitRows({ cause }: WorkerExitReport, cwd: string): string[] {
  if (cause.type !== "crashed" || cause.error.location !== undefined) return [];
  return stackRows(cause.error, cwd).map(shownRow);
}

function exitCause(cause: WorkerExitReport["cause"], cwd: string): string {
  if (cause.type !== "crashed") return `process.exit(${cause.code})`;
  const place = placeOf(cause.error);
  const where = place ? `${shownLocation(place, cwd)} ` : "";
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

/** Whole milliseconds, at least one: nothing takes none. */
function milliseconds(duration: number): string {
  return `${Math.max(1, Math.round(duration))} ms`;
}
