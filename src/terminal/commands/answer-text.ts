/** What commands print for people. Pure. */
import { shownPath } from "../../common/paths.js";
import type { KnownError } from "../../control/error-history.js";
import type { LogLine } from "../../control/log-lines.js";
import type { LastLoad } from "../../control/reload-history.js";
import type { RequestAnswer } from "../../control/request.js";
import type { CurrentError, SupervisorState } from "../../control/state.js";
import type { WaitVerdict } from "../../control/wait.js";
import { type LeakReport, leakLines } from "../../leaks/leak-report.js";
import type { ReloadReport } from "../../reports/report.js";
import type { EditPlan } from "../../supervisor/plan-of-edit.js";
import { type BenchResult, benchLines } from "../bench/bench-result.js";
import type { Finding } from "../doctor/finding.js";
import type { ParsedCommand } from "./parse-command.js";

export function answerText(
  { word, words }: Pick<ParsedCommand, "word" | "words">,
  answer: object,
  cwd: string,
): string {
  switch (word) {
    case "status":
      return statusLines(answer as SupervisorState & Broken, cwd).join("\n");
    case "ls":
      return lsLines((answer as { supervisors: SupervisorState[] }).supervisors, cwd).join("\n");
    case "wait":
    case "release":
      return waitLines(answer as WaitVerdict & Partial<InStep>, cwd).join("\n");
    case "reload":
    case "restart":
      return reportedLines(answer as Reported, cwd).join("\n");
    case "hold":
      return holdText(answer as Pick<SupervisorState, "hold">);
    case "why":
      return whyLines(answer as { file: string; last: LastLoad | null }, cwd).join("\n");
    case "plan":
      return planLines(answer as EditPlan, cwd).join("\n");
    case "errors":
      return errorsText((answer as { errors: KnownError[] }).errors, cwd);
    case "logs":
      return (answer as { lines: LogLine[] }).lines.map(logText).join("\n");
    case "call":
      return callText(answer as Called, cwd);
    case "request":
      return requestText(words, answer as RequestAnswer);
    case "bench":
      return benchLines(answer as BenchResult, cwd).join("\n");
    case "doctor":
      return (answer as { findings: Finding[] }).findings.flatMap(findingLines).join("\n");
    case "explain-leak":
      return leakLines(answer as LeakReport[], cwd).join("\n");
    default:
      return JSON.stringify(answer, undefined, 2);
  }
}

interface Broken {
  /** Code that only requests lead to. */
  readonly broken: readonly CurrentError[];
}

function statusLines(state: SupervisorState & Broken, cwd: string): string[] {
  const { phase, live, settled, ended, generation, epoch, modules, content, hold, lastReport, error, broken } = state;
  const what = ended ? "ended" : live ? "live" : phase === "running" ? "changes wait" : phase;
  return [
    `${what}: generation ${generation} in worker ${epoch}, ${counted(modules, "module")}, content ${content ?? "none"}`,
    `  entry      ${shownPath(state.entry, cwd)}`,
    `  addresses  ${state.addresses.join(", ") || "none"}`,
    `  process    ${state.pid}, since ${clock(state.startedAt)}`,
    `  root       ${state.root}`,
    ...(hold ? [`  hold       ${holdText({ hold })}`] : []),
    ...(settled || hold ? [] : ["  now        something is under way"]),
    ...(lastReport ? [`  last       ${reportText(lastReport, cwd)}`] : []),
    ...(error ? errorLines(error, cwd) : []),
    ...broken.flatMap((each) => ["only requests lead to this:", ...errorLines(each, cwd)]),
  ];
}

function lsLines(supervisors: readonly SupervisorState[], cwd: string): string[] {
  if (supervisors.length === 0) return ["no supervisor is running"];
  return supervisors.map(
    ({ pid, phase, ended, generation, entry, addresses }) =>
      `${pid}  ${ended ? "ended" : phase}  generation ${generation}  ${shownPath(entry, cwd)}  ${addresses.join(", ")}`,
  );
}

interface InStep {
  readonly all: readonly { readonly url: string; readonly isThere: boolean; readonly reason: string | null }[];
  readonly wasHeld: boolean;
}

function waitLines(answer: WaitVerdict & Partial<InStep>, cwd: string): string[] {
  const { verdict, generation, content, durationMs, error, waitingFor, wasHeld } = answer;
  const { unused = [], missing = [], all = [] } = answer;
  const took = durationMs === undefined ? "" : ` after ${Math.round(durationMs)} ms`;
  const held = wasHeld === false ? ["nothing was held"] : [];
  const remarks = unused.map(
    (file) =>
      `  ${shownPath(file, cwd)}: ${missing.includes(file) ? "there is no such file, and " : ""}nothing that runs is made from it`,
  );
  const others = all.map(({ url, reason }) => `  ${url}: ${reason ?? "runs it"}`);
  switch (verdict) {
    case "live":
      return [...held, `live: generation ${generation ?? "?"}, content ${content}${took}`, ...remarks, ...others];
    case "failed":
      return [
        ...held,
        `failed: generation ${generation} is kept${took}`,
        ...(error ? errorLines(error, cwd) : []),
        ...remarks,
      ];
    case "late":
      return [...held, `not up${took}${waitingFor ? `: it waits for ${waitingFor}` : ""}`, ...others];
    default:
      return verdict satisfies never;
  }
}

interface Reported {
  readonly report: ReloadReport | null;
  readonly generation: number;
  readonly error: CurrentError | null;
}

function reportedLines({ report, generation, error }: Reported, cwd: string): string[] {
  const text = report ? reportText(report, cwd) : `not over yet: generation ${generation} runs`;
  return [text, ...(error ? errorLines(error, cwd) : [])];
}

function reportText(report: ReloadReport, cwd: string): string {
  const { kind, loaded, kept, durationMs, generation, changed, code } = report;
  const because = changed.length === 0 ? "" : `: ${changed.map((file) => shownPath(file, cwd)).join(", ")} changed`;
  const took = `${Math.round(durationMs * 10) / 10} ms`;
  switch (kind) {
    case "reloaded":
      return `reloaded ${loaded.length} of ${counted(loaded.length + kept, "module")} in ${took} (generation ${generation}, ${code})${because}`;
    case "restarted":
      return `started in ${took} (generation ${generation}, ${code})${because}`;
    case "failed":
      return `failed after ${took} (generation ${generation} kept, ${code})${because}`;
    case "unchanged":
      return `nothing has changed (generation ${generation})`;
    default:
      return kind satisfies never;
  }
}

function holdText({ hold }: Pick<SupervisorState, "hold">): string {
  if (!hold) return "saves do not wait";
  return `saves wait until unreloader release${hold.until === null ? "" : `, or ${clock(hold.until)}`}`;
}

function errorLines(error: CurrentError, cwd: string): string[] {
  const { name, code, message, file, line, column, frame, importedBy, sinceGeneration, isNew } = error;
  const place = file === undefined ? "" : `${shownPath(file, cwd)}:${line}:${column} `;
  return [
    `${name}${code ? ` [${code}]` : ""}: ${place}${message}`,
    ...(frame ? frame.split("\n").map((text) => `  ${text}`) : []),
    ...(importedBy.length > 0 ? [`  imported by ${importedBy.map((each) => shownPath(each, cwd)).join(" <- ")}`] : []),
    isNew ? "  new since the last edit" : `  was there before the last edit, since generation ${sinceGeneration}`,
  ];
}

function whyLines({ file, last }: { file: string; last: LastLoad | null }, cwd: string): string[] {
  if (!last) return [`${shownPath(file, cwd)}: nothing has been loaded so far`];
  const { kind, generation, epoch, at, code, chain, changed } = last;
  const how = kind === "restarted" ? `with worker ${epoch}` : `by a reload (${code})`;
  const shown = (files: readonly string[]) => files.map((each) => shownPath(each, cwd));
  const because =
    kind === "restarted"
      ? changed.length > 0
        ? [`  changed: ${shown(changed).join(", ")}`]
        : []
      : [`  ${shown(chain).join(" <- ")}`];
  return [`${shownPath(file, cwd)} was loaded ${how} as generation ${generation}, ${clock(at)}`, ...because];
}

function planLines({ file, code, outcome, text, load, purge, kept, why }: EditPlan, cwd: string): string[] {
  const files = [...new Set([...load, ...purge])];
  const chain = (each: string) => (why[each] ?? []).filter((link, index) => index > 0 || link !== each);
  return [
    `${shownPath(file, cwd)}: ${outcome} (${code}, ${text})`,
    ...(outcome === "fresh worker" || files.length === 0
      ? []
      : [`${counted(files.length, "module")} again, ${kept} kept:`]),
    ...files.map((each) => `  ${[each, ...chain(each)].map((link) => shownPath(link, cwd)).join(" <- ")}`),
  ];
}

function errorsText(errors: readonly KnownError[], cwd: string): string {
  if (errors.length === 0) return "no errors";
  return errors
    .map(({ kind, error, importedBy, sinceGeneration, lastGeneration, count, lastAt }) => {
      const { location, frame, name, message } = error;
      const place = location ? `${shownPath(location.file, cwd)}:${location.line}:${location.column} ` : "";
      const times = count === 1 ? "" : `, ${count} times, last in ${lastGeneration}`;
      return [
        `${kind} (generation ${sinceGeneration}${times}, ${clock(lastAt)}) ${name}: ${place}${message}`,
        ...(frame ? frame.split("\n").map((line) => `  ${line}`) : []),
        ...(importedBy.length > 0
          ? [`  imported by ${importedBy.map((file) => shownPath(file, cwd)).join(" <- ")}`]
          : []),
      ].join("\n");
    })
    .join("\n");
}

function logText({ at, generation, from, text }: LogLine): string {
  return `${clock(at)} ${generation} ${from === "app" ? "" : "unreloader: "}${text}`;
}

interface Called {
  readonly value?: unknown;
  readonly text?: string;
  readonly error?: CurrentError | { readonly name: string; readonly message: string; readonly stack?: string };
}

function callText({ value, text, error }: Called, cwd: string): string {
  if (error === undefined) return text ?? JSON.stringify(value, undefined, 2);
  if ("isNew" in error) return errorLines(error, cwd).join("\n");
  return error.stack ?? `${error.name}: ${error.message}`;
}

function requestText([method, url]: readonly string[], answer: RequestAnswer): string {
  const { status, statusText, headers, body, encoding, isCut, generation, durationMs } = answer;
  return [
    `${method} ${url}: ${status} ${statusText} (generation ${generation}, ${Math.round(durationMs)} ms)`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${[value].flat().join(", ")}`),
    "",
    encoding === "base64" ? `(base64) ${body}` : body,
    ...(isCut ? ["(cut off)"] : []),
  ].join("\n");
}

function findingLines({ check, level, found, means, remedy }: Finding): string[] {
  return [
    `${level.padEnd(4)} ${check}: ${found}`,
    ...(means === undefined ? [] : [`       ${means}`]),
    ...(remedy === undefined ? [] : [`       -> ${remedy}`]),
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
