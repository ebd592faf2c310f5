/** What the supervisor tells its host: the payload of each event of `createSupervisor`, as plain data with absolute paths. */
import type { SerializedError, SourceLocation } from "../common/protocol/serialized-error.js";
import type { EditCode, Outcome } from "./edits.js";

/** What has come of a reload; `kind` says what else it has: a failed one has an error. */
export type ReloadReport = UnchangedReport | ReloadedReport | FreshWorkerReport | FailedReport;

/** Nothing had changed. */
export interface UnchangedReport extends CycleReport {
  /** Says which of the reports it is. */
  readonly kind: "unchanged";
  /** Only a failed one has it. */
  readonly error?: undefined;
}

/** The change was taken in by the thread that runs. */
export interface ReloadedReport extends CycleReport {
  /** Says which of the reports it is. */
  readonly kind: "reloaded";
  /** Only a failed one has it. */
  readonly error?: undefined;
}

/** A fresh worker has the new code. */
export interface FreshWorkerReport extends CycleReport {
  /** Says which of the reports it is. */
  readonly kind: "restarted";
  /** Only a failed one has it. */
  readonly error?: undefined;
}

/** The new code is broken; what ran before is whole. */
export interface FailedReport extends CycleReport {
  /** Says which of the reports it is. */
  readonly kind: "failed";
  /** What the new code has thrown, or why it could not be loaded. */
  readonly error: SerializedError;
}

/** What all of them have. */
export interface CycleReport {
  /** What kind of edit it was (docs/edits.md); of several, the one that reaches furthest. */
  readonly code: EditCode;
  /** What was done: the least that takes the edit in. */
  readonly outcome: Outcome;
  /** Each changed file with the code of its edit. */
  readonly edits: readonly FileEdit[];
  /** The generation that is loaded now; a failed reload keeps the one before. 0: none yet. */
  readonly generation: number;
  /** Number of the worker that runs; it rises by one for every fresh one. */
  readonly epoch: number;
  /** Saved, added and deleted files. */
  readonly changed: readonly string[];
  /** Files that took back what they had accepted (`import.meta.hot.invalidate()`); absent when none did. */
  readonly invalidated?: readonly string[];
  /** What was taken out, in the order of that. */
  readonly purged: readonly PurgedModule[];
  /** In evaluation order. */
  readonly loaded: readonly string[];
  /** Functions whose bodies were swapped, and nothing was evaluated (`--scope function`); absent when none were. */
  readonly swapped?: readonly SwappedFile[];
  /** For each loaded file the files that lead from it to the change: [file, ..., changed file]. */
  readonly why: Readonly<Record<string, readonly string[]>>;
  /** Modules that were left alone. */
  readonly kept: number;
  /** Milliseconds, from the moment the change was noticed. */
  readonly durationMs: number;
}

/** A file that was saved, added or deleted, and what kind of edit that was. */
export interface FileEdit {
  /** Absolute path. */
  readonly file: string;
  /** Of docs/edits.md. */
  readonly code: EditCode;
}

/** A file of which only bodies of functions were taken in. */
export interface SwappedFile {
  /** Absolute path. */
  readonly file: string;
  /** Names, or `line 12` of what has none, in the order of the text. */
  readonly functions: readonly string[];
}

/** A file whose module was taken out. */
export interface PurgedModule {
  /** Absolute path. */
  readonly file: string;
  /** Names of its classes that were purged. */
  readonly classes: readonly string[];
}

/** A server of the app can be reached. Once for each public port of an epoch that was not open before. */
export interface ListeningReport {
  /** `path`: a unix socket or a named pipe. */
  readonly protocol: "http" | "https" | "tcp" | "path";
  /** As the app or `--host` named it; `localhost` when nobody named one. With "path": the path of the socket. */
  readonly host: string;
  /** 0 with "path". */
  readonly port: number;
  /** Addresses of this machine under which others reach it; absent when they do not, or `host` is one of them. */
  readonly network?: readonly string[];
  /** Modules of the app that are loaded. */
  readonly modules: number;
  /** Milliseconds since the supervisor was started. */
  readonly durationMs: number;
  /** False with `reload: false`, where nobody counts the modules. */
  readonly reloads?: false;
}

/** A start or a reload that was given up; in a reload's case the `reload` event with kind "failed" carries it too. */
export interface FailureReport extends FailedReport {
  /** Files that import the one that failed, nearest first, up to the entry. */
  readonly importedBy: readonly string[];
  /** The app had started: the error is its end. */
  readonly ended?: true;
  /** No thread has the generation any more, so that nothing can answer but the failure. */
  readonly gone?: true;
  /** What the app wrote last, when the failure is its end. */
  readonly lastLines?: readonly string[];
}

/** A fresh worker has taken over. */
export interface RestartReport {
  /** Number of the worker: it rises by one for every fresh one. */
  readonly epoch: number;
  /** The generation that it has loaded. */
  readonly generation: number;
  /** Own modules that are loaded. */
  readonly modules: number;
  /** Milliseconds, from the moment when it was begun. */
  readonly durationMs: number;
  /** What kind of edit it was (docs/edits.md). */
  readonly code: EditCode;
  /** Why it was not done in place. */
  readonly reason: RestartReason;
}

/** Why a fresh worker was taken; `type` says what else is known. */
export type RestartReason =
  /** node_modules, package.json, a lockfile, tsconfig.json, an env file, a native addon; or any file, by `--scope worker`. */
  | { readonly type: "changed"; readonly files: readonly string[]; readonly code: EditCode }
  /** A change that reaches a file which has declined to be replaced (`import.meta.hot.decline()`). */
  | { readonly type: "declined"; readonly files: readonly string[]; readonly by: string }
  /** `restart()`, or `R` in the terminal. */
  | { readonly type: "asked" }
  | { readonly type: "workerExit" }
  /** A reload threw where a fresh worker might not. */
  | { readonly type: "reloadFailed"; readonly error: SerializedError }
  /** The thread did not answer: it was blocked, or with `began` stuck in what these files' reload had begun. */
  | { readonly type: "blocked"; readonly files: readonly string[]; readonly began: boolean }
  /** Code of before a reload has blocked the thread, there. */
  | { readonly type: "purgedRuns"; readonly location: SourceLocation }
  /** A package keeps something of a purged file that its new version does not give it, or waits for it; with `strictPurge`, anything. */
  | { readonly type: "stuck"; readonly file: string; readonly what: string }
  /** A route that answered before the entry was evaluated again in place was not found after it. */
  | { readonly type: "lost"; readonly file: string; readonly route: string }
  /** With `strictPurge`: something keeps an old version of the file alive. */
  | { readonly type: "stale"; readonly file: string };

/** The worker has ended without having been told to. */
export interface WorkerExitReport {
  /** Number of the worker. */
  readonly epoch: number;
  /** How it came to its end. */
  readonly cause: /** By `process.exit()`. */
    | { readonly type: "exited"; readonly code: number }
    /** It had nothing left to do. `missing`: what it would have needed to go on as a server, in words. */
    | { readonly type: "ended"; readonly code: number; readonly missing?: string }
    | { readonly type: "crashed"; readonly error: SerializedError };
  /** Project-relative or absolute path of the entry. */
  readonly entry: string;
  /** `closing`: with the option `exit`, the app was the reason to go on. */
  readonly next: "restarting" | "waiting for a change" | "waiting for the port" | "closing";
  /** Milliseconds until it is restarted; absent: at once, or not at all. */
  readonly afterMs?: number;
}

/** Old versions of a class, or of a module's scope, that somebody who outlives the reload keeps alive. */
export interface StaleReferencesReport {
  /** Absolute path of the file that defined them. */
  readonly file: string;
  /** Undefined: the scope of the module, which any of its functions keeps alive. */
  readonly class?: string | undefined;
  /** What they have registered with a package that does not let it go, in words; undefined when it is not that. */
  readonly entry?: string | undefined;
  /** The generation in which the oldest of them was purged. */
  readonly generation: number;
  /** Old versions that are still reachable; counted up to 64. */
  readonly count: number;
  /** Milliseconds since the oldest of them was purged. */
  readonly ageMs: number;
  /** A request or an upgraded connection that was open at the purge still is: it may be the holder, and rightly so. */
  readonly inUse: boolean;
}

/** What is said by the way. */
export interface LogReport {
  /** How much it matters. */
  readonly level: LogLevel;
  /** One line, without a break. */
  readonly message: string;
  /** Of an app that runs and does not listen: how many modules it has, and how long their evaluation took. */
  readonly started?: { readonly modules: number; readonly durationMs: number };
}

/** From what only helps to find a fault to what has gone wrong. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Every event with its payload; the names are those of `supervisor.on`. */
export interface SupervisorEvents {
  /** A server of the app can be reached. */
  listening: ListeningReport;
  /** A reload has come to an end, whatever its outcome. */
  reload: ReloadReport;
  /** A start or a reload was given up. */
  failed: FailureReport;
  /** A fresh worker has taken over. */
  restarted: RestartReport;
  /** The worker has ended by itself. */
  "worker-exit": WorkerExitReport;
  /** Something of purged code is still alive. */
  "stale-references": StaleReferencesReport;
  /** What is said by the way. */
  log: LogReport;
}

/** As Node's emitter declares them: each event with its parameters. */
export type EmittedEvents = { [Name in keyof SupervisorEvents]: [SupervisorEvents[Name]] };

export type SupervisorEvent = {
  [Name in keyof SupervisorEvents]: { readonly event: Name; readonly report: SupervisorEvents[Name] };
}[keyof SupervisorEvents];
