/**
 * A thread that has loaded the app's packages ahead, and whether it is what a start would make now: by what it is started
 * with, by the files and variables that it has read, and by the code that leads to the packages.
 */
import type { PreparedModule } from "../common/compile/compiled-module.js";
import { STANDBY_EXTRA_MS } from "../common/deadlines.js";
import { firstChanged } from "../common/protocol/file-stamps.js";
import type { WorkerReport } from "../common/protocol/messages.js";
import type { BootOrder } from "../common/protocol/orders.js";
import type { PackageLog, PackageRequest } from "../common/protocol/package-log.js";
import { wait } from "../common/wait.js";
import type { AppProcess } from "./app-process.js";
import type { SpareThread } from "./spare-thread.js";
import type { ThreadTask } from "./thread-task.js";
import { type Modules, unchangedRequests } from "./unchanged-requests.js";

export type LoadedReport = Extract<WorkerReport, { type: "loadedAhead" }>;

/** A start, to be repeated. */
export interface Recorded {
  readonly log: PackageLog;
  /** The modules at that start. */
  readonly before: Modules;
  /** The modules now: the map changes with reloads. */
  readonly now: Modules;
}

/** A thread that has loaded packages, or is about to. */
export interface AheadThread {
  readonly task: ThreadTask;
  readonly order: BootOrder;
  readonly environment: NodeJS.ProcessEnv;
  /** The start that it repeats. */
  readonly recorded: Recorded;
  readonly requests: readonly PackageRequest[];
  readonly startedAt: number;
  report: LoadedReport | undefined;
  /** Settles when there is a report, or the thread has ended. */
  readonly settled: Promise<void>;
}

/** Where threads come from. */
export interface ThreadSource {
  /** One that has loaded the app's packages. */
  readonly ahead?: AheadThread | undefined;
  /** One that has only loaded the runtime. */
  readonly bare?: SpareThread | undefined;
  /** The process that the thread's app is to have; undefined: it is the host's. */
  readonly process: AppProcess | undefined;
  /** What a thread that is started now gets as its environment. */
  environment(): NodeJS.ProcessEnv;
  /** Nothing of the app has run in it. */
  giveBack(ahead: AheadThread): void;
  /** Ends it. */
  refused(ahead: AheadThread, because: string): Promise<void>;
  /** The app has started; the modules change with its reloads. */
  recorded(log: PackageLog, modules: ReadonlyMap<string, PreparedModule>): void;
  /** The app's code has changed. */
  changed(): void;
}

/** Why what a thread has loaded is not what it would load now. 2 us for each file. */
export function fileChanged(report: LoadedReport | undefined): string | undefined {
  const changed = report && firstChanged(report.files);
  return changed === undefined ? undefined : `${changed} has changed`;
}

export function variableRead(
  { order, environment }: AheadThread,
  { variables }: LoadedReport,
  now: NodeJS.ProcessEnv,
): string | undefined {
  const names = Object.keys(variablesChanged(environmentOf(order, environment), now));
  const [read] = variables.includes("*") ? names : names.filter((name) => variables.includes(name));
  return read === undefined ? undefined : `a package has read the variable ${read}, which is another now`;
}

/** Why the thread cannot be the app's with these modules; `wait` first, when it is still loading. */
export async function unfitFor(
  ahead: AheadThread,
  order: BootOrder,
  modules: Modules,
  now: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (!ahead.report) await settledOrLate(ahead);
  const { report, recorded, requests } = ahead;
  if (!report) return "it did not load the packages in time";
  if (report.unfit.length > 0 || report.loaded.length === 0) return "its packages are not fit";
  const unchanged = unchangedRequests(recorded.log, recorded.before, modules);
  const ofChanged = report.loaded.find((index) => index >= unchanged);
  if (ofChanged !== undefined) return `files that lead to ${requests[ofChanged]?.file} have changed`;
  return variableRead(ahead, report, environmentOf(order, now)) ?? fileChanged(report);
}

/** What a thread that was taken has to be told. */
export function lateOrder(ahead: AheadThread, order: BootOrder, now: NodeJS.ProcessEnv) {
  const { epoch, generation, preload, board } = order;
  const before = environmentOf(ahead.order, ahead.environment);
  return { epoch, generation, preload, board, environment: variablesChanged(before, environmentOf(order, now)) };
}

async function settledOrLate({ settled, requests, startedAt }: AheadThread): Promise<void> {
  const patience = startedAt + durationOf(requests) + STANDBY_EXTRA_MS - performance.now();
  await wait(settled, { deadlineMs: Math.max(0, patience) });
}

export function durationOf(requests: readonly PackageRequest[]): number {
  return requests.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** What a thread that is started now gets. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env };
}

/** What the app's thread has as its environment, as `workers/process.ts` makes it. */
export function environmentOf({ variables }: BootOrder, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...variables, ...environment };
}

function variablesChanged(before: NodeJS.ProcessEnv, now: NodeJS.ProcessEnv): Record<string, string | null> {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  const changed = [...names].filter((name) => before[name] !== now[name]);
  return Object.fromEntries(changed.map((name) => [name, now[name] ?? null]));
}

export function sameVariables(one: NodeJS.ProcessEnv, other: NodeJS.ProcessEnv): boolean {
  return Object.keys(variablesChanged(one, other)).length === 0;
}

/** Of the boot order what must be the same: all but what is told later, compared otherwise, or shared memory. */
export function stablePart(order: BootOrder): string {
  const {
    epoch: _1,
    generation: _2,
    preload: _3,
    variables: _4,
    board: _5,
    waits: _6,
    connectionTable: _7,
    ...rest
  } = order;
  return JSON.stringify(rest);
}
