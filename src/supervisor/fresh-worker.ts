/** Brings the app to its newest code in a fresh worker: everything is compiled again; the first start is one, too. */
import { statSync } from "node:fs";
import { AFTER_START_MS, GOES_FIRST_MS, MAKE_ROOM_MS } from "../common/deadlines.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import { wait } from "../common/wait.js";
import type { CycleReports } from "../reports/cycle-reports.js";
import { serializeSourceError } from "../reports/failure.js";
import type { ReloadReport, RestartReason } from "../reports/report.js";
import { restartCode } from "../reports/report-codes.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import type { UnexpectedEnd } from "../thread/app-thread.js";
import type { Boot, Booted } from "./boot.js";
import type { CrashRestarts } from "./crash-restarts.js";
import type { CycleParts } from "./cycle-parts.js";
import type { CycleState } from "./cycle-state.js";
import { closedMeanwhile, type Failures, givenUp } from "./failures.js";
import type { LoadedApp } from "./loaded-app.js";
import type { Preparation } from "./prepare.js";
import type { Run } from "./run.js";

export interface FreshWorkerOptions {
  readonly parts: Pick<
    CycleParts,
    | "epochs"
    | "front"
    | "preparer"
    | "monitoring"
    | "subclasses"
    | "leaks"
    | "control"
    | "listening"
    | "startSettled"
    | "missingServer"
    | "silentMs"
    | "emit"
    | "options"
  >;
  readonly state: CycleState;
  readonly reports: CycleReports;
  readonly failures: Failures;
  readonly crashes: CrashRestarts;
  /** Told at the first start. */
  readonly greeting: string | undefined;
}

export class FreshWorker {
  readonly #with: FreshWorkerOptions;
  readonly #parts: FreshWorkerOptions["parts"];
  readonly #state: CycleState;
  #afterStart: NodeJS.Timeout | undefined;

  constructor(options: FreshWorkerOptions) {
    this.#with = options;
    this.#parts = options.parts;
    this.#state = options.state;
  }

  /** Nothing is done for a start any more. */
  stop(): void {
    clearTimeout(this.#afterStart);
    this.#parts.missingServer.stop();
  }

  /** For a start that waits for a save; undefined: there was one since `time`, in milliseconds since the epoch. */
  prepareToWait(time: number): Preparation | undefined {
    this.#parts.monitoring.look(undefined, new Set());
    const preparation = this.#prepareAll();
    const isSaved = [...preparation.graph.files()].some((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return stats !== undefined && Math.max(stats.mtimeMs, stats.ctimeMs) > time;
    });
    return isSaved ? undefined : preparation;
  }

  async restart(run: Run, started: number): Promise<ReloadReport> {
    const { monitoring, subclasses, control, listening, epochs, preparer, startSettled, emit } = this.#parts;
    const state = this.#state;
    const { failures, crashes } = this.#with;
    const reason = state.restartReason;
    state.restartReason = undefined;
    monitoring.look(undefined, state.pending.deleted);
    for (const message of subclasses.malformed()) emit("log", { level: "warn", message });
    if (!state.closing) control.open();
    listening.loading();
    startSettled.again();
    const fresh = epochs.spawn(state.generation + 1);
    const preparation = this.#prepareAll();
    const failure = preparer.failureOf(preparation);
    const unprepared = failure && serializeSourceError(failure);
    if (unprepared && !preparer.startDecides) {
      void epochs.retire(fresh, 0);
      return this.#failed(unprepared, started, preparation);
    }
    state.move({ type: "boot", epoch: fresh.number });
    const outcome = await this.#boot(fresh, preparation, run.signal);
    switch (outcome.type) {
      case "booted":
        return this.#booted(outcome, reason, started);
      case "abandoned":
        return this.#abandoned(outcome.because, reason, started, preparation);
      case "failed":
        if (outcome.end && !state.closing) {
          // The line about its end says it all.
          if (crashes.startEnded(epochs.last, outcome.end))
            return failures.become(outcome.error, started, preparation, undefined, false);
          crashes.startFailed(epochs.last, outcome.end);
        }
        return this.#failed(better(unprepared, outcome.error), started, preparation, outcome);
      default:
        return outcome satisfies never;
    }
  }

  async #failed(
    error: SerializedError,
    started: number,
    preparation: Preparation,
    by: { readonly ended?: AppEpoch | undefined; readonly end?: UnexpectedEnd | undefined } = {},
  ): Promise<ReloadReport> {
    const report = await this.#with.failures.fail(error, started, preparation, by.ended);
    if (this.#state.generation === 0) this.#with.crashes.neverStarted(by.end);
    return report;
  }

  /**
   * The last step of the climb: an error that a fresh worker shows as well is the app's. The fresh worker runs beside the
   * old one, which keeps its state for the next save; when it fails for another reason than the reload did (a lock that
   * the old one holds, say), only a real restart can tell. Undefined: the old one goes on, and `error` is the app's.
   */
  async instead(
    run: Run,
    app: LoadedApp,
    reloaded: { readonly error: SerializedError; readonly preparation: Preparation },
    started: number,
  ): Promise<ReloadReport | { readonly error: SerializedError; readonly ended?: AppEpoch | undefined }> {
    const { error, preparation } = reloaded;
    const { epochs } = this.#parts;
    const state = this.#state;
    const reason: RestartReason = { type: "reloadFailed", error };
    const trial = await epochs.try(epochs.spawn(state.generation + 1), this.#prepareAll(), run.signal);
    switch (trial.type) {
      case "booted":
        await this.#replace(app, trial.app.epoch);
        return this.#booted(trial, reason, started);
      case "abandoned":
        return this.#abandoned(trial.because, reason, started, preparation);
      case "failed":
        break;
      default:
        return trial satisfies never;
    }
    const told = better(error, trial.error);
    if (state.closing || (app.epoch.alive && told.message === error.message)) return { ...trial, error: told };
    state.restartReason = reason;
    return this.restart(run, started);
  }

  /**
   * Everything as it is on the disk. What was saved since the last check is in it, and the registry takes that for
   * reported: should the thread that runs now go on, it has to be told of that later.
   */
  #prepareAll(): Preparation {
    const { app, pending } = this.#state;
    const preparation = this.#parts.preparer.all();
    for (const file of app?.differingFrom(preparation) ?? []) pending.changed.add(file);
    return preparation;
  }

  /**
   * An old thread that has nothing in flight ends first, as with a restart: its hooks have run, and what it held is free,
   * before the new code begins. Else the new thread is tried beside the old one, which serves what it has begun. Should it
   * fail, what the old one holds for itself (a locked folder, a UDP port) may be the reason: then the old one goes first.
   */
  async #boot(fresh: AppEpoch, preparation: Preparation, signal: AbortSignal): Promise<Boot> {
    const { epochs, front } = this.#parts;
    const state = this.#state;
    const old = state.app;
    if (old?.epoch.alive && this.#goesFirst(old.epoch)) {
      front.refuseWaiting(old.epoch.number);
      await wait(epochs.retire(old.epoch, 0), { deadlineMs: GOES_FIRST_MS, signal });
    }
    if (!old?.epoch.alive) {
      state.app = undefined;
      return epochs.boot(fresh, preparation, signal);
    }
    const trial = await epochs.try(fresh, preparation, signal);
    if (trial.type === "booted") await this.#replace(old, fresh);
    if (trial.type !== "failed" || state.closing) return trial;
    await epochs.retire(old.epoch, MAKE_ROOM_MS, 2 * MAKE_ROOM_MS);
    state.app = undefined;
    return epochs.boot(epochs.spawn(state.generation + 1), preparation, signal);
  }

  /** While the last good generation may have to answer, it stays until the new one has proved to be good. */
  #goesFirst(old: AppEpoch): boolean {
    const { front, options, silentMs } = this.#parts;
    const { requests, sockets } = front.inFlightOf(old.number);
    const answers = old !== this.#state.left && old.board.beats > 0 && silentMs(old) === 0;
    return answers && options.onError !== "last-good" && requests + sockets + old.calls.size === 0;
  }

  async #replace(old: LoadedApp, fresh: AppEpoch): Promise<void> {
    const { epochs } = this.#parts;
    await epochs.promote(fresh);
    if (old.epoch.alive) epochs.drain(old.epoch);
  }

  /** A start was given up: for a newer save or a restart, which come next, or because it took too long. */
  #abandoned(
    because: "aborted" | "late",
    reason: RestartReason | undefined,
    started: number,
    preparation: Preparation,
  ): ReloadReport | Promise<ReloadReport> {
    const state = this.#state;
    const { failures, reports } = this.#with;
    if (state.closing) return failures.fail(closedMeanwhile(), started, preparation);
    if (because === "late") return failures.fail(givenUp(started), started, preparation);
    state.restartReason ??= reason;
    if (state.phase !== "booting") state.move({ type: "boot", epoch: this.#parts.epochs.last });
    return reports.report("unchanged", started);
  }

  #booted({ app, loaded }: Booted, reason: RestartReason | undefined, started: number): ReloadReport {
    const { listening, leaks, preparer, missingServer, emit } = this.#parts;
    const state = this.#state;
    const { reports, crashes, greeting } = this.#with;
    state.app = app;
    reports.tellChanges();
    reports.tellApplied({ purged: [], loaded }, { why: {} }, undefined);
    leaks.forget();
    crashes.booted();
    missingServer.started();
    if (state.phase !== "booting") state.move({ type: "boot", epoch: app.epoch.number });
    state.move({ type: "booted", generation: state.generation + 1 });
    const code = restartCode(reason);
    const report = reports.report("restarted", started, code);
    state.takeIn();
    listening.loaded(app.size);
    if (greeting !== undefined && !reason) emit("log", { level: "info", message: greeting });
    if (reason) {
      const { epoch, generation, durationMs } = report;
      emit("restarted", { epoch, generation, modules: app.size, durationMs, code, reason });
      emit("reload", report);
    }
    clearTimeout(this.#afterStart);
    this.#afterStart = setTimeout(() => preparer.afterStart(app), AFTER_START_MS).unref();
    return report;
  }
}

/** Of two errors about the same place, or one without a place: main's compiler says best what is wrong with a file. */
function better(known: SerializedError | undefined, found: SerializedError): SerializedError {
  const { location } = found;
  const isSame = known?.location?.file === location?.file && known?.location?.line === location?.line;
  return known && (location === undefined || isSame) ? known : found;
}
