/** What can be asked about a running supervisor at any moment, by commands and over HTTP: plain data, and when it changes. */
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { FileRegistry } from "../files/registry.js";
import type { Front } from "../front/front.js";
import type { ResolvedOptions } from "../options/options.js";
import { reachedBy } from "../reports/listen-reports.js";
import type { FailureReport, ReloadReport, SupervisorEvent, WorkerExitReport } from "../reports/report.js";
import { publicUrl } from "../reports/report-lines.js";
import type { LoadedApp } from "../supervisor/loaded-app.js";
import type { State } from "../supervisor/state.js";
import { contentHash } from "./content-hash.js";
import { ErrorHistory, type ErrorKind } from "./error-history.js";
import { LogLines } from "./log-lines.js";
import { ReloadHistory } from "./reload-history.js";

export interface SupervisorState {
  /** Of this supervisor, while it runs: no other on this machine has it. */
  readonly id: string;
  readonly pid: number;
  /** The process that was started for it, when that is another one. */
  readonly launcher: number | null;
  /** Absolute paths. */
  readonly root: string;
  readonly entry: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly phase: State["phase"];
  /** What runs is the newest code, as far as is known: a request that begins now is answered by it. */
  readonly live: boolean;
  /** Nothing is under way, and nothing that was saved waits: what runs is the newest code, or that has failed. */
  readonly settled: boolean;
  /** 0: nothing has been loaded yet. */
  readonly generation: number;
  /** Number of the worker; 0: there is none. */
  readonly epoch: number;
  /** Hash of all own code and of what it has read, the same on every machine; null: nothing is loaded. */
  readonly content: string | null;
  /** Own modules that are loaded. */
  readonly modules: number;
  /** Where the app can be reached: URLs, or paths of sockets. */
  readonly addresses: readonly string[];
  readonly inFlight: number;
  /** Saves wait for `unreloader release`; `until`: for this time at the most, in milliseconds since 1970. */
  readonly hold: { readonly until: number | null } | null;
  /** Without those that changed nothing. */
  readonly lastReport: ReloadReport | null;
  /** The app has come to its end, with code 0: it runs again when a file is saved. */
  readonly ended: boolean;
  /** Why the newest code does not run. */
  readonly error: CurrentError | null;
}

export interface CurrentError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  /** Absolute path. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** The lines around the place, with a caret under the column. */
  readonly frame?: string | undefined;
  readonly stack?: string | undefined;
  readonly cause?: SerializedError | undefined;
  /** Files that import the one that failed, nearest first, up to the entry. */
  readonly importedBy: readonly string[];
  /** The generation that was loaded when it came; 0: none yet. */
  readonly sinceGeneration: number;
  /** The last edit has brought it: the code before did not fail, or failed with something else. */
  readonly isNew: boolean;
}

export interface StateSources {
  readonly id: string;
  readonly launcher: number | undefined;
  readonly options: Pick<ResolvedOptions, "root" | "entry">;
  readonly registry: Pick<FileRegistry, "contentOf">;
  readonly front: Pick<Front, "endpoints">;
  readonly cycle: {
    readonly app: LoadedApp | undefined;
    readonly phase: State["phase"];
    readonly generation: number;
    readonly inFlight: number;
    /** Nothing is under way or waits to be taken in. */
    readonly isSettled: boolean;
    /** Of the phase "failed". */
    readonly failure: FailureReport | undefined;
  };
  hold(): SupervisorState["hold"];
}

export class StateView {
  readonly #sources: () => StateSources;
  readonly #startedAt = Date.now();
  readonly #listeners = new Set<() => void>();
  readonly errors = new ErrorHistory();
  readonly reloads = new ReloadHistory();
  #lastReport: ReloadReport | undefined;
  readonly #logs: LogLines;
  /** How the app has ended, until that has become the phase. */
  #exit: WorkerExitReport["cause"] | undefined;
  #hasEnded = false;
  /** Broken files that only late code leads to, each with its message, and since which generation that is so. */
  #late: ReadonlyMap<string, number> = new Map();
  #isFirst = true;
  /** Of the app and generation that it was made for. */
  #content: { readonly graph: object; readonly generation: number; readonly hash: string } | undefined;

  constructor(root: string, sources: () => StateSources) {
    this.#logs = new LogLines(root);
    this.#sources = sources;
  }

  /** The newest lines of the app, too. */
  get lines(): LogLines {
    const { app, generation } = this.#sources().cycle;
    this.#logs.takeUp(app?.epoch.board, generation);
    return this.#logs;
  }

  now(): SupervisorState {
    const { id, options, front, cycle, hold } = this.#sources();
    const { root, entry } = options;
    const { app, phase, generation, inFlight, isSettled } = cycle;
    return {
      id,
      pid: process.pid,
      launcher: this.#sources().launcher ?? null,
      root,
      entry,
      startedAt: this.#startedAt,
      phase,
      live: phase === "running" && isSettled,
      settled: isSettled,
      generation,
      epoch: app?.epoch.number ?? 0,
      content: this.content ?? null,
      modules: app?.size ?? 0,
      addresses: front.endpoints().map(({ kind, address }) => publicUrl(reachedBy(kind, address))),
      inFlight,
      hold: hold(),
      lastReport: this.#lastReport ?? null,
      ended: phase === "failed" && this.#hasEnded,
      error: this.#error() ?? null,
    };
  }

  /** Saves wait, and what was loaded last answers meanwhile, also when newer code has failed before. */
  get isHeld(): boolean {
    return this.#sources().hold() !== null;
  }

  /** As in the state. */
  get content(): string | undefined {
    const { options, registry, cycle } = this.#sources();
    const { app, generation } = cycle;
    if (app === undefined || generation === 0) return undefined;
    const { graph, roots } = app;
    if (this.#content?.graph !== graph || this.#content.generation !== generation) {
      const hash = contentHash({
        root: options.root,
        graph,
        roots,
        readsOf: (module) => app.readsOf(module),
        contentOf: (file) => registry.contentOf(file),
      });
      this.#content = { graph, generation, hash };
    }
    return this.#content.hash;
  }

  /** Calls `listener` whenever the state may be another one, until the returned function is called. */
  onChange(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /**
   * The first state that fits, now or later; the state at the deadline, or when the signal aborts or the supervisor is
   * closed, if none does.
   */
  until(
    fits: (state: SupervisorState) => boolean,
    { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<SupervisorState> {
    return new Promise((resolve) => {
      const end = (state: SupervisorState): void => {
        clearTimeout(timer);
        stop();
        signal?.removeEventListener("abort", late);
        resolve(state);
      };
      const look = (): void => {
        const state = this.now();
        if (fits(state) || state.phase === "closed") end(state);
      };
      const late = (): void => end(this.now());
      const timer = setTimeout(late, deadlineMs);
      const stop = this.onChange(look);
      signal?.addEventListener("abort", late);
      if (signal?.aborted) late();
      else look();
    });
  }

  /** Since which generation the file that only late code leads to is broken, with this message; 0: since the first start. */
  lateFailureSince(file: string, message: string): number | undefined {
    return this.#late.get(`${file}\0${message}`);
  }

  // ---- what the supervisor tells

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Each event, before the host is told of it. */
  emitted(event: SupervisorEvent): void {
    const { app, generation } = this.#sources().cycle;
    this.#logs.takeUp(app?.epoch.board, generation);
    this.#logs.told(event, generation);
    if (event.event === "worker-exit") this.#exited(event.report);
    if (event.event === "listening") this.changed();
  }

  /** One that waits for a save is told as a failure as well. */
  #exited({ cause, next }: WorkerExitReport): void {
    this.#exit = cause;
    if (cause.type !== "crashed" || next !== "restarting") return;
    const { generation } = this.#sources().cycle;
    this.errors.add("run", { error: cause.error, importedBy: [], generation });
  }

  /** A cycle has come to its end. */
  reported(report: ReloadReport): void {
    if (report.kind !== "unchanged") this.#lastReport = report;
    this.reloads.add(report);
    const { cycle } = this.#sources();
    if (cycle.phase === "running") this.errors.mended();
    const late = [...(cycle.app?.failures ?? [])].map(([file, { message }]) => {
      const key = `${file}\0${message}`;
      return [key, this.#late.get(key) ?? (this.#isFirst ? 0 : cycle.generation)] as const;
    });
    this.#late = new Map(late);
    if (cycle.app) this.#isFirst = false;
    this.changed();
  }

  /** The newest code does not run. `isRetry`: nothing was saved since it was tried before. */
  failed(report: FailureReport, isRetry = false): void {
    const { error, importedBy, generation } = report;
    const kind: ErrorKind = report.ended ? "run" : generation === 0 ? "start" : "reload";
    this.#hasEnded = this.#exit !== undefined && "code" in this.#exit && this.#exit.code === 0;
    this.#exit = undefined;
    if (!this.#hasEnded) {
      this.errors.add(kind, { error, importedBy, generation });
      this.errors.fails(error, generation, report.changed.length > 0 && !isRetry);
    }
    this.changed();
  }

  #error(): CurrentError | undefined {
    const { failure } = this.#sources().cycle;
    const known = this.errors.current;
    if (failure === undefined || this.#hasEnded) return undefined;
    const { sinceGeneration = failure.generation, isNew = true } = known ?? {};
    return currentError(failure, { sinceGeneration, isNew });
  }
}

/** An error with its place, for people and programs. */
export function currentError(
  { error, importedBy }: Pick<FailureReport, "error" | "importedBy">,
  { sinceGeneration, isNew }: Pick<CurrentError, "sinceGeneration" | "isNew">,
): CurrentError {
  const { name, message, code, location, frame, stack, cause } = error;
  return {
    name,
    message,
    code,
    file: location?.file,
    line: location?.line,
    column: location?.column,
    frame,
    stack,
    cause,
    importedBy,
    sinceGeneration,
    isNew,
  };
}
