/** Brings the app to its newest code in the thread that it has, if it can be done there; if not, a fresh worker takes over. */
import { APPLY_MS, APPLY_WITH_LAST_GOOD_MS } from "../common/deadlines.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { WaitLimits } from "../common/wait.js";
import type { CycleReports } from "../reports/cycle-reports.js";
import type { ReloadReport } from "../reports/report.js";
import type { Interruption } from "../thread/thread-answer.js";
import type { CycleParts } from "./cycle-parts.js";
import type { CycleState } from "./cycle-state.js";
import { closedMeanwhile, type Failures, givenUp } from "./failures.js";
import type { FreshWorker } from "./fresh-worker.js";
import type { LoadedApp } from "./loaded-app.js";
import type { Preparation } from "./prepare.js";
import type { Run } from "./run.js";
import { rolledBackText, type TestReload } from "./test-reloads.js";

export interface ReloadStepOptions {
  readonly parts: Pick<CycleParts, "inPlace" | "front" | "options" | "emit">;
  readonly state: CycleState;
  readonly reports: CycleReports;
  readonly failures: Failures;
  readonly fresh: FreshWorker;
}

export class ReloadStep {
  readonly #with: ReloadStepOptions;
  readonly #parts: ReloadStepOptions["parts"];
  readonly #state: CycleState;

  constructor(options: ReloadStepOptions) {
    this.#with = options;
    this.#parts = options.parts;
    this.#state = options.state;
  }

  /** Takes in what is pending. */
  async reload(run: Run, app: LoadedApp, started: number): Promise<ReloadReport> {
    const { inPlace, emit } = this.#parts;
    const state = this.#state;
    const { reports, failures, fresh } = this.#with;
    const wasFailed = state.failure;
    state.move({ type: "reload" });
    const { graph } = app;
    const outcome = await inPlace.run(app, state.pending, state.generation + 1, this.#limits(run));
    switch (outcome.type) {
      case "unchanged":
        state.pending.clear();
        state.move({ type: "unchanged" });
        if (wasFailed) {
          const message = `mended: the files are again as generation ${state.generation} has them`;
          emit("log", { level: "info", message });
        }
        return reports.report("unchanged", started);
      case "unprepared":
        return failures.fail(outcome.error, started, outcome.preparation);
      case "needsRestart":
        state.restartReason = outcome.reason;
        return fresh.restart(run, started);
      case "failed":
        return this.#failed(run, app, outcome, started);
      case "interrupted":
        return this.#interrupted(run, outcome.because, outcome.preparation, wasFailed, started);
      case "abandoned":
        return this.#leaveThread(run, app, outcome.because, started);
      case "applied":
        break;
      default:
        return outcome satisfies never;
    }
    state.move({ type: "applied", generation: state.generation + 1 });
    const report = reports.report("reloaded", started, outcome);
    reports.tellChanges();
    reports.tellApplied(outcome.plans, report, graph);
    state.takeIn();
    emit("reload", report);
    return report;
  }

  /** Nothing has changed: what the app answers must not either. */
  async test(run: Run, app: LoadedApp, test: TestReload, started: number): Promise<ReloadReport> {
    const { inPlace, options, emit } = this.#parts;
    const state = this.#state;
    if (test.type === "identity") {
      app.damage(test.files);
      return this.reload(run, app, started);
    }
    state.move({ type: "reload" });
    const again = await inPlace.rollBack(app, test.files, state.generation + 1, this.#limits(run));
    state.move({ type: "unchanged" });
    if (!("error" in again)) {
      emit("log", { level: "info", message: rolledBackText(test, again, options.root) });
      return this.#with.reports.report("unchanged", started);
    }
    state.restartReason = { type: "reloadFailed", error: again.error };
    return this.#with.fresh.restart(run, started);
  }

  #limits(run: Run): WaitLimits {
    const deadlineMs = this.#servesLastGood ? APPLY_WITH_LAST_GOOD_MS : APPLY_MS;
    return { deadlineMs, signal: run.signal };
  }

  get #servesLastGood(): boolean {
    return this.#parts.options.onError === "last-good";
  }

  /** The last good generation goes on, with what a reload that failed has damaged. */
  async #mend(run: Run, app: LoadedApp | undefined): Promise<void> {
    if (this.#servesLastGood && app) await this.#parts.inPlace.mend(app, this.#state.generation, this.#limits(run));
  }

  /** A plan was given up, and the thread is back at the versions it had. */
  async #interrupted(
    run: Run,
    because: Interruption,
    preparation: Preparation,
    wasFailed: SerializedError | undefined,
    started: number,
  ): Promise<ReloadReport> {
    const state = this.#state;
    state.move({ type: "interrupted" });
    // The newer save, or the restart, comes next.
    if (because === "aborted") {
      if (wasFailed) state.move({ type: "failed", error: wasFailed, threadAlive: true });
      return this.#with.reports.report("unchanged", started);
    }
    await this.#mend(run, state.app);
    return this.#with.failures.fail(givenUp(started), started, preparation);
  }

  /** The thread is blocked, and `files` were saved as they were. */
  leaveBlocked(run: Run, app: LoadedApp, files: readonly string[], started: number): Promise<ReloadReport> {
    this.#state.restartReason ??= { type: "blocked", files, began: false };
    return this.#leaveThread(run, app, "blocked", started);
  }

  /** The thread does not answer: a fresh one takes over, and it may finish what it has begun, if it can. */
  #leaveThread(run: Run, app: LoadedApp, because: Interruption, started: number): Promise<ReloadReport> {
    const state = this.#state;
    this.#parts.front.abandonEpoch(app.epoch.number);
    state.left = app.epoch;
    if (run.why !== "restart" && run.why !== "closing")
      state.restartReason ??= { type: "blocked", files: state.pending.all(), began: because !== "blocked" };
    if (state.closing) return this.#with.failures.fail(closedMeanwhile(), started, undefined);
    run.goOn();
    return this.#with.fresh.restart(run, started);
  }

  async #failed(
    run: Run,
    app: LoadedApp,
    reloaded: { readonly error: SerializedError; readonly preparation: Preparation },
    started: number,
  ): Promise<ReloadReport> {
    const { failures, fresh } = this.#with;
    const { error, preparation } = reloaded;
    if (this.#state.closing) return failures.fail(error, started, preparation);
    const instead = await fresh.instead(run, app, reloaded, started);
    if ("kind" in instead) return instead;
    await this.#mend(run, app);
    return failures.fail(instead.error, started, preparation, instead.ended);
  }
}
