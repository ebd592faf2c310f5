/** What the supervisor tells its host: the payload of each event of `createSupervisor`, as plain data with absolute paths. */
import type { SerializedError, SourceLocation } from "../common/protocol/serialized-error.js";
import type { EditCode, Outcome } from "./edits.js";

export interface ReloadReport {
  readonly kind: "unchanged" | "reloaded" | "restarted" | "failed";
  /** What kind of edit it was (docs/edits.md); of several, the one that reaches furthest. */
  readonly code: EditCode;
  readonly outcome: Outcome;
  /** Each changed file with the code of its edit. */
  readonly edits: readonly FileEdit[];
  /** The generation that is loaded now; a failed reload keeps the one before. 0: none yet. */
  readonly generation: number;
  readonly epoch: number;
  /** Saved, added and deleted files. */
  readonly changed: readonly string[];
  /** Files that took back what they had accepted (`import.meta.hot.invalidate()`); absent when none did. */
  readonly invalidated?: readonly string[];
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
  readonly error?: SerializedError;
}

export interface FileEdit {
  readonly file: string;
  readonly code: EditCode;
}

export interface SwappedFile {
  readonly file: string;
  /** Names, or `line 12` of what has none, in the order of the text. */
  readonly functions: readonly string[];
}

export interface PurgedModule {
  readonly file: string;
  readonly classes: readonly string[];
}

/** A server of the app can be reached. Once for each public port of an epoch that was not open before. */
export interface ListeningReport {
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
export interface FailureReport extends ReloadReport {
  readonly kind: "failed";
  readonly error: SerializedError;
  /** Files that import the one that failed, nearest first, up to the entry. */
  readonly importedBy: readonly string[];
  /** The app had started: the error is its end. */
  readonly ended?: true;
  /** No thread has the generation any more, so that nothing can answer but the failure. */
  readonly gone?: true;
  /** What the app wrote last, when the failure is its end. */
  readonly lastLines?: readonly string[];
}

export interface RestartReport {
  readonly epoch: number;
  readonly generation: number;
  readonly modules: number;
  readonly durationMs: number;
  readonly code: EditCode;
  readonly reason: RestartReason;
}

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
  /** With `strictPurge`: a package keeps something that a purged file has registered. */
  | { readonly type: "stuck"; readonly file: string; readonly what: string }
  /** With `strictPurge`: something keeps an old version of the file alive. */
  | { readonly type: "stale"; readonly file: string };

export interface WorkerExitReport {
  readonly epoch: number;
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

export interface LogReport {
  readonly level: LogLevel;
  readonly message: string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Every event with its payload; the names are those of `supervisor.on`. */
export interface SupervisorEvents {
  listening: ListeningReport;
  reload: ReloadReport;
  failed: FailureReport;
  restarted: RestartReport;
  "worker-exit": WorkerExitReport;
  "stale-references": StaleReferencesReport;
  log: LogReport;
}

/** As Node's emitter declares them: each event with its parameters. */
export type EmittedEvents = { [Name in keyof SupervisorEvents]: [SupervisorEvents[Name]] };

export type SupervisorEvent = {
  [Name in keyof SupervisorEvents]: { readonly event: Name; readonly report: SupervisorEvents[Name] };
}[keyof SupervisorEvents];
