/** What became of each commit, and the table of all. Pure. */
import { shownPath } from "../../src/common/paths.js";
import type { RestartReason } from "../../src/reports/report.js";
import { summarize } from "../statistics.js";
import type { ToldEvent } from "./app-process.js";
import type { Commit } from "./repository.js";

/** How the product has taken the saves of a commit in. */
export type Way = "nothing" | "in place" | "all own modules" | "fresh worker" | "failure";

export interface Taken {
  readonly way: Way;
  /** Of a fresh worker. */
  readonly reason?: string;
  /** Modules that were evaluated, and those of the app in all. */
  readonly evaluated: number;
  readonly modules: number;
}

export type Cause =
  /** The product shows a failure, a fresh process runs. */
  | "fails alone"
  /** A fresh process does not start. */
  | "runs on"
  /** What the commit before was answered with. */
  | "old answer"
  /** Asked once more it answers as a fresh process. */
  | "first answer only"
  | "no answer"
  | "other answer"
  /** At the start, where a plain process starts. */
  | "does not start";

export interface Difference {
  readonly cause: Cause;
  /** `GET /path`; what a start is about, else. */
  readonly what: string;
  readonly product: string;
  readonly fresh: string;
}

export interface Replayed {
  readonly commit: Commit;
  /** Of an edit: its kind. */
  readonly edit?: string;
  /** Saved or deleted, relative to the app's folder. */
  readonly files: readonly string[];
  /**
   * `broken`: it does not start, and both say so. `unstartable`: likewise, and nothing runs yet. `started`: the first one
   * that does: the product was started with it. `unsaved`: nothing of it is saved.
   */
  readonly outcome: "same" | "different" | "broken" | "unstartable" | "started" | "unsaved";
  readonly taken?: Taken;
  /** All changed files are the same code as before. */
  readonly isSameCode?: boolean;
  /** A fresh process answers with other statuses than at the start. */
  readonly isHarmed?: boolean;
  /** From the last save to the first answer. */
  readonly waitedMs?: number;
  /** From the start of a fresh process to its first answer. */
  readonly freshMs?: number;
  readonly differences: readonly Difference[];
  /** Requests whose answers two fresh processes give differently. */
  readonly unsteady: readonly string[];
}

/** What a commit's events say: the worst that came. */
export function takenOf(events: readonly ToldEvent[], before: Taken | undefined, folder: string): Taken {
  let taken: Taken = { way: "nothing", evaluated: 0, modules: before?.modules ?? 0 };
  for (const event of events) {
    if (event.event === "failed" || event.event === "worker-exit") taken = { ...taken, way: "failure" };
    else if (event.event === "restarted")
      taken = {
        way: "fresh worker",
        reason: reasonText(event.reason, folder),
        evaluated: taken.evaluated + event.modules,
        modules: event.modules,
      };
    else if (event.event === "reload" && event.kind === "reloaded") {
      const modules = event.loaded.length + event.kept;
      const way = taken.way === "fresh worker" ? taken.way : event.kept === 0 ? "all own modules" : "in place";
      taken = { ...taken, way, evaluated: taken.evaluated + event.loaded.length, modules };
    }
  }
  return taken;
}

function reasonText(reason: RestartReason, folder: string): string {
  switch (reason.type) {
    case "changed":
      return `changed (${reason.code}): ${reason.files
        .map((file) => shownPath(file, folder))
        .slice(0, 3)
        .join(", ")}`;
    case "declined":
      return `declined by ${shownPath(reason.by, folder)}`;
    case "reloadFailed":
      return `the reload failed: ${firstLine(reason.error.message)}`;
    case "blocked":
      return reason.began ? "blocked by a reload" : "blocked";
    case "purgedRuns":
      return "old code ran on";
    case "stuck":
      return `stuck: ${reason.what}`;
    case "lost":
      return `not found: ${reason.route}`;
    case "stale":
      return "stale references";
    case "asked":
      return "asked for";
    case "workerExit":
      return "the worker had exited";
    default:
      return reason satisfies never;
  }
}

export function allSame(results: readonly Replayed[]): boolean {
  return results.every(({ outcome }) => outcome !== "different");
}

/** The table, and below it each difference with its commit, its files and both answers. */
export function reportOf(results: readonly Replayed[]): string {
  const rows: (readonly [string, string])[] = [
    ["commits", `${results.length}`],
    ...countsOf(results),
    ...waysOf(results),
    ...timesOf(results),
    ...editsOf(results),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const differences = results.filter(({ outcome }) => outcome === "different");
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()),
    ...differences.flatMap((result) => ["", ...differenceLines(result)]),
    "",
  ].join("\n");
}

function countsOf(results: readonly Replayed[]): [string, string][] {
  const count = (...outcomes: Replayed["outcome"][]) =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const compared = count("same", "different", "broken");
  const unsteady = new Set(results.flatMap((result) => result.unsteady));
  return [
    ["  do not start, none before them does", `${count("unstartable")}`],
    ["  have nothing to save", `${count("unsaved")}`],
    ["  started with", `${count("started")}`],
    ["  replayed as saves", `${compared}`],
    ["same answers", share(count("same", "broken"), compared)],
    ["  of these broken, and said to be", `${count("broken")}`],
    ["different", `${count("different")}`],
    ...tallied(results.flatMap(({ differences }) => differences.slice(0, 1).map(({ cause }) => cause))),
    ...(unsteady.size > 0 ? [["not compared: no two starts agree", [...unsteady].join(", ")] as [string, string]] : []),
  ];
}

function waysOf(results: readonly Replayed[]): [string, string][] {
  const taken = results.flatMap((result) => result.taken ?? []);
  const ways = ["nothing", "in place", "all own modules", "fresh worker", "failure"] as const;
  const done = taken.filter(({ way }) => way !== "nothing" && way !== "failure").length;
  const reasons = taken.flatMap(({ reason }) => reason ?? []);
  const reloads = taken.filter(({ way }) => way === "in place" || way === "all own modules");
  const modules = sum(reloads.map(({ modules }) => modules));
  const needless = results.filter(({ isSameCode, taken }) => isSameCode && (taken?.evaluated ?? 0) > 0);
  return [
    ...ways.flatMap((way): [string, string][] => {
      const count = taken.filter((one) => one.way === way).length;
      if (way === "nothing") return [["nothing to reload", `${count}`]];
      if (way === "failure") return [["shown as a failure", `${count}`]];
      return [[way, share(count, done)], ...(way === "fresh worker" ? tallied(reasons) : [])];
    }),
    ["modules evaluated in place", share(sum(reloads.map(({ evaluated }) => evaluated)), modules)],
    [
      "  for code that was the same",
      `${sum(needless.map(({ taken }) => taken?.evaluated ?? 0))} in ${needless.length} commits`,
    ],
  ];
}

function timesOf(results: readonly Replayed[]): [string, string][] {
  const row = (name: string, values: readonly (number | undefined)[]): [string, string][] => {
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0) return [];
    const { median, p95 } = summarize(known);
    return [[name, `median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`]];
  };
  const byWay = (...ways: Way[]) =>
    results.filter(({ taken }) => taken && ways.includes(taken.way)).map(({ waitedMs }) => waitedMs);
  return [
    ...row("kept waiting, in place", byWay("in place", "all own modules")),
    ...row("kept waiting, fresh worker", byWay("fresh worker")),
    ...row(
      "start of a fresh process",
      results.map(({ freshMs }) => freshMs),
    ),
  ];
}

/** Of each kind of edit that did not break the app: how often it was taken in place, and what was evaluated then. */
function editsOf(results: readonly Replayed[]): [string, string][] {
  const kinds = new Map<string, Replayed[]>();
  for (const result of results)
    if (result.edit !== undefined) kinds.set(result.edit, [...(kinds.get(result.edit) ?? []), result]);
  const rows = [...kinds].map(([kind, all]): [string, string] => {
    const taken = all.flatMap((result) => (result.outcome !== "broken" && result.taken) || []);
    const reloads = taken.filter(({ way }) => way === "in place" || way === "all own modules");
    const [evaluated, modules] = [
      sum(reloads.map(({ evaluated }) => evaluated)),
      sum(reloads.map(({ modules }) => modules)),
    ];
    const nothing = taken.filter(({ way }) => way === "nothing").length;
    return [
      `  ${kind}`,
      `${all.length}, broken ${all.length - taken.length}, nothing to do ${nothing}, evaluated ${share(evaluated, modules)}`,
    ];
  });
  return rows.length === 0 ? [] : [["edits", ""], ...rows.sort()];
}

/** How often each comes, most often first. */
function tallied(words: readonly string[]): [string, string][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([word, count]) => [`  ${word}`, `${count}`]);
}

function differenceLines({ commit, files, taken, differences }: Replayed): string[] {
  return [
    `${commit.id.slice(0, 10)} ${commit.subject}`,
    `  saved: ${files.slice(0, 12).join(" ")}${files.length > 12 ? ` and ${files.length - 12} more` : ""}`,
    ...(taken ? [`  taken: ${taken.way}${taken.reason ? ` (${taken.reason})` : ""}, ${taken.evaluated} modules`] : []),
    ...differences.flatMap(({ cause, what, product, fresh }) => {
      const [ours, theirs] = parts(product, fresh);
      return [`  ${cause}: ${what}`, `    product  ${ours}`, `    fresh    ${theirs}`];
    }),
  ];
}

/** Where the two texts begin to differ, with a little of what comes before. */
function parts(product: string, fresh: string): [string, string] {
  let at = 0;
  while (at < product.length && product[at] === fresh[at]) at++;
  const from = Math.max(0, at - BEFORE);
  return [product, fresh].map((text) => JSON.stringify(text.slice(from, at + BEHIND))) as [string, string];
}

const BEFORE = 40;
const BEHIND = 200;

function share(count: number, of: number): string {
  return of === 0 ? "0" : `${count} of ${of} (${((100 * count) / of).toFixed(1)} %)`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
