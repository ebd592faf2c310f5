/**
 * Brings the app to its newest code: owns what is pending, the state, and every timer and deadline of it. All work on the
 * app goes through one run at a time, which goes on until nothing is left to do. Whatever a run waits for can be given up:
 * for a newer save, a restart, the end, or a thread that does not answer. (The pure parts decide: state, plan, pending
 * changes, back-off.)
 */
import path from "node:path";
import { lacksDescriptors } from "../common/compile/descriptor-reserve.js";
import {
  AFTER_START_MS,
  APPLY_MS,
  APPLY_WITH_LAST_GOOD_MS,
  BLOCKED_MS,
  CLOSE_POLL_MS,
  CRASH_LOOP_HOLD_MS,
  EMPTY_FILE_MS,
  GOES_FIRST_MS,
  JOIN_MS,
  LACK_MS,
  MAKE_ROOM_MS,
  QUIET_MS,
  SUPERSEDE_MS,
} from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import { HOLD } from "../common/protocol/connection-table.js";
import { reviveError, type SerializedError, serializeError } from "../common/protocol/serialized-error.js";
import { lookUntil, type WaitLimits, wait } from "../common/wait.js";
import type { Control } from "../control/control.js";
import type { FileRegistry } from "../files/registry.js";
import type { Front } from "../front/front.js";
import type { Verdict } from "../front/turn.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import type { Leaks } from "../leaks/leaks.js";
import type { ConfigChanges } from "../options/config-changes.js";
import type { ResolvedOptions } from "../options/options.js";
import { failureText, importersOf, serializeSourceError } from "../reports/failure.js";
import { type ListenReports, reachedBy } from "../reports/listen-reports.js";
import type { Progress } from "../reports/progress.js";
import type {
  FailureReport,
  ReloadReport,
  RestartReason,
  StaleReferencesReport,
  SupervisorEvents,
} from "../reports/report.js";
import { publicUrl } from "../reports/report-lines.js";
import { type CycleOutcome, reportOfCycle } from "../reports/report-of-cycle.js";
import { appliedSteps, changeSteps } from "../reports/steps.js";
import type { AppEpoch, Interruption } from "../thread/app-epoch.js";
import { errorOfEnd, type UnexpectedEnd } from "../thread/app-thread.js";
import type { AppliedPlans } from "./applied-plan.js";
import { CrashBackOff } from "./crash-back-off.js";
import type { Boot, Booted, Epochs } from "./epochs.js";
import type { InPlaceReload } from "./in-place-reload.js";
import type { LoadedApp } from "./loaded-app.js";
import type { Monitoring } from "./monitoring.js";
import { PendingChanges } from "./pending.js";
import type { Preparation } from "./prepare.js";
import type { Preparer } from "./preparer.js";
import type { PublicAddressChoice } from "./public-address.js";
import type { StartSettled } from "./start-settled.js";
import { admission, type State, type StateEvent, transition } from "./state.js";
import type { SubclassNames } from "./subclass-names.js";
import { Supersedings } from "./supersedings.js";
import { rolledBackText, type TestReload, TestReloads, VARIABLE } from "./test-reloads.js";

export interface CycleParts {
  readonly options: ResolvedOptions;
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly front: Front;
  readonly registry: FileRegistry;
  readonly monitoring: Monitoring;
  readonly preparer: Preparer;
  readonly epochs: Epochs;
  readonly inPlace: InPlaceReload;
  readonly leaks: Leaks;
  readonly control: Control;
  readonly listening: ListenReports;
  readonly address: PublicAddressChoice;
  readonly subclasses: SubclassNames;
  readonly configChanges: ConfigChanges;
  readonly startSettled: StartSettled;
  /** How long a thread has been seen not to beat, in milliseconds. */
  silentMs(epoch: AppEpoch): number;
  /** Tells what a cycle waits for when it takes long. */
  readonly progress: Pick<Progress, "begin" | "end">;
  /** Never throws. */
  emit<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void;
}

/** Why a run that is under way is not to go on with what it does. */
type Interrupt = "superseded" | "restart" | "closing";

/** The work that is under way. */
interface Run {
  readonly done: Promise<ReloadReport>;
  /** When the cycle that is at work began. */
  began: number;
  /** Of the cycle that is at work; another one for each. */
  interruption: AbortController;
  why: Interrupt | undefined;
}

export class ReloadCycle {
  readonly #parts: CycleParts;
  #state: State = { phase: "booting", epoch: 1, generation: 0 };
  /** The app that serves, or that would if the newest code were not broken. */
  #app: LoadedApp | undefined;
  /** What the cycle under way takes in, or what has failed. */
  readonly #pending = new PendingChanges();
  /** What has come since that cycle began: for the next one. */
  #arrived = new PendingChanges();
  /** A look at the files that is under way: what it has been told by the registry is not in `#arrived` yet. */
  #looking: Promise<void> | undefined;
  /** Files that have taken back what they accepted and are not in `#pending` yet; with true the file goes, too. */
  readonly #invalidated = new Map<string, boolean>();
  /** Those of the cycles that run: a second time is no news, and might go on for ever. */
  readonly #invalidatedInRun = new Set<string>();
  #restartReason: RestartReason | undefined;
  /** `clear()` was called, and nobody has come since. */
  #cleared = false;
  /** The files whose changes were taken in last. */
  #takenIn: readonly string[] = [];
  #takenInAt = 0;
  #run: Run | undefined;
  /** What is told to the host after a run; with the next run's behind it. */
  #told: Promise<void> = Promise.resolve();
  #closing = false;
  #bootedAt = 0;
  readonly #crashes = new CrashBackOff();
  readonly #supersedings = new Supersedings();
  /** A thread that did not answer: it may finish what it has begun, and gets nothing else. */
  #left: AppEpoch | undefined;
  #lastFailure: FailureReport | undefined;
  /** Checks for changes when a burst of saves is over. */
  #eager: NodeJS.Timeout | undefined;
  /** Looks whether the run under way has been superseded. */
  #supersede: NodeJS.Timeout | undefined;
  /** Starts an app again that has crashed. */
  #backOff: NodeJS.Timeout | undefined;
  #afterStart: NodeJS.Timeout | undefined;
  /** Looks again whether ports are nobody's, when files that were empty have had time to be written. */
  #emptyFiles: NodeJS.Timeout | undefined;
  readonly #testReloads = TestReloads.of(process.env[VARIABLE]);

  constructor(parts: CycleParts) {
    this.#parts = parts;
  }

  get app(): LoadedApp | undefined {
    return this.#app;
  }

  get phase(): State["phase"] {
    return this.#state.phase;
  }

  get generation(): number {
    return this.#state.generation;
  }

  /** The run that is under way. */
  get run(): Promise<ReloadReport> | undefined {
    return this.#run?.done;
  }

  /** Requests and calls that wait or are being answered. */
  get inFlight(): number {
    return this.#parts.front.inFlight() + (this.#app?.epoch.calls.size ?? 0);
  }

  // ---- what may be asked for

  /** Does what there is to do. Never rejects. */
  freshen(): Promise<ReloadReport> {
    return (this.#run ?? this.#begin()).done;
  }

  /** The same, and resolves only when the host has been told; not if the host may be asking while it is told. */
  async freshenAndTell(): Promise<ReloadReport> {
    const { isTelling } = this.#parts.monitoring;
    const report = await this.freshen();
    if (!isTelling) await this.#told;
    return report;
  }

  unchanged(): ReloadReport {
    return this.#report("unchanged", performance.now());
  }

  /** Looks at all files now, and applies what has changed. Not held up by what is stuck. */
  async reload(): Promise<ReloadReport> {
    const { registry } = this.#parts;
    const run = this.#run;
    registry.markAll();
    if (run === undefined) return this.freshenAndTell();
    // It may have looked at the files before this call.
    this.#watchWhetherSuperseded(run);
    const waited = await wait(run.done, { deadlineMs: JOIN_MS });
    // What goes on has the newest files; it may take its time, or be stuck.
    return waited.type === "settled" ? this.freshenAndTell() : this.unchanged();
  }

  /** A fresh worker, whatever is under way. */
  restart(): Promise<ReloadReport> {
    this.#restartReason = { type: "asked" };
    this.#crashes.forgive();
    if (this.#run) this.#interrupt(this.#run, "restart");
    return this.freshenAndTell();
  }

  /** Forgets everything that is loaded: the next request, call or `reload()` evaluates all own modules again. */
  clear(): void {
    this.#parts.registry.markAll();
    this.#cleared = true;
    Atomics.store(this.#parts.table, HOLD, 1);
  }

  /** What a request that begins now must do; a promise when it has to wait for that. */
  admit(isAgain = false): Verdict | Promise<Verdict> {
    if (!isAgain && this.#state.phase === "running") this.#testReloads?.count();
    if (this.#run === undefined && !this.#mustWork()) return this.#verdict();
    const done = this.freshen();
    return this.#crashes.isLooping ? this.#admitToLoop(done) : done.then(() => this.#verdict());
  }

  /** It will most probably crash again, and whoever asks wants to see why; but for a save, which may mend it, he waits. */
  async #admitToLoop(done: Promise<unknown>): Promise<Verdict> {
    const waited = await wait(done, { deadlineMs: CRASH_LOOP_HOLD_MS });
    if (waited.type !== "settled" && this.#crashes.isLooping) return this.#failureVerdict();
    await done;
    return this.#verdict();
  }

  /** What a request that is held waits for, in words. */
  waitingFor(): string {
    switch (this.#state.phase) {
      case "booting":
        return "the app to start";
      case "reloading":
        return "a reload";
      default:
        return "a server of the app";
    }
  }

  /**
   * Begins nothing any more. What is under way may come to its end for `graceMs`, so that who waits for it is answered;
   * then it is given up. Resolves when nothing is under way.
   */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const timer of [this.#eager, this.#supersede, this.#backOff, this.#afterStart, this.#emptyFiles])
      clearTimeout(timer);
    const end = performance.now() + graceMs;
    const run = this.#run;
    if (run) {
      const waited = await wait(run.done, { deadlineMs: graceMs });
      if (waited.type !== "settled") {
        this.#interrupt(run, "closing");
        await run.done;
      }
    }
    // What the run has let pass may still wait for the server that the new code opens, or be on its way there.
    if (run) await lookUntil(() => !this.#letsPass(), CLOSE_POLL_MS, end);
    this.#move({ type: "close" });
    this.#sayInstead();
  }

  #letsPass(): boolean {
    const { front } = this.#parts;
    const epoch = this.#app?.epoch;
    if (this.#state.phase !== "running" || !epoch?.alive) return false;
    return front.held > 0 || front.inFlightOf(epoch.number).requests > 0;
  }

  closed(): void {
    this.#move({ type: "closed" });
  }

  // ---- what happens

  /** A file was written, as far as the watcher can tell: nothing that begins now may pass before it has been checked. */
  noticed(): void {
    const { options, registry, table } = this.#parts;
    const { cooldown } = options;
    if (this.#closing || cooldown === "off") return;
    // During a cooldown requests go on to the old code.
    if (registry.stale()) Atomics.store(table, HOLD, 1);
    clearTimeout(this.#eager);
    this.#eager = setTimeout(() => void this.freshen(), Math.max(QUIET_MS, cooldown));
    if (this.#run) this.#watchWhetherSuperseded(this.#run);
  }

  /** A module asks that its importers are loaded again. Nobody has saved anything, so that no cooldown counts. */
  invalidate(epoch: AppEpoch, file: string, again: boolean): void {
    if (this.#closing || this.#app?.epoch !== epoch || this.#invalidatedInRun.has(file)) return;
    this.#invalidatedInRun.add(file);
    this.#invalidated.set(file, again);
    Atomics.store(this.#parts.table, HOLD, 1);
    void this.freshen();
  }

  /** Something keeps old code alive. A request that does so ends by itself; of what else does, only a fresh thread is rid. */
  foundStale(report: StaleReferencesReport): void {
    this.#parts.emit("stale-references", report);
    // What a package did not let go of was told with the reload, which has seen to it.
    if (this.#closing || !this.#parts.options.strictPurge || report.inUse || report.entry !== undefined) return;
    this.#restartReason ??= { type: "stale", file: report.file };
    Atomics.store(this.#parts.table, HOLD, 1);
    void this.freshen();
  }

  /** A thread ended without having been told to. */
  ended(epoch: AppEpoch, end: UnexpectedEnd): void {
    const { front } = this.#parts;
    if (this.#closing || this.#app?.epoch !== epoch) return;
    const { phase } = this.#state;
    const delayMs =
      phase === "reloading" ? 0 : this.#delayAfter(end, front.hasBegun(epoch.number) || epoch.calls.size > 0);
    front.workerDied(epoch.number, reviveError(errorOfEnd(end)));
    const next = delayMs === undefined ? "waiting for a change" : "restarting";
    this.#parts.emit("worker-exit", {
      epoch: epoch.number,
      cause: end,
      next,
      ...(delayMs !== undefined && delayMs > 0 && { afterMs: delayMs }),
    });
    // Whoever waits for an answer of the thread goes on with a fresh one.
    if (this.#run !== undefined) return;
    if (delayMs === 0) {
      this.#restartReason ??= { type: "workerExit" };
      void this.freshen();
      return;
    }
    // The line about the exit says it all.
    void this.#becomeFailed(errorOfEnd(end), performance.now(), undefined, epoch);
    this.#startAgainAfter(delayMs);
  }

  /**
   * Ports whose server was purged, or ended with its thread, belong to code that is gone when the code that runs is the
   * newest and has nothing going on that may still listen. Until then they stay open, and requests wait there.
   */
  closeUnadopted(): void {
    const epoch = this.#app?.epoch;
    if (this.#run !== undefined || this.#state.phase !== "running" || !epoch?.alive) return;
    if (epoch.number !== this.#state.epoch || epoch.idleGeneration !== this.generation) return;
    // The new code's port is open before the old one's is closed.
    if (this.#parts.front.isOpening) return;
    // What was saved meanwhile may listen there: the run that takes it in comes back here.
    if (this.#mustWork()) return;
    // Between the two steps of a save (truncate, write) the code has no server: the second step gets some time.
    clearTimeout(this.#emptyFiles);
    const leftMs = this.#takenInAt + EMPTY_FILE_MS - performance.now();
    const isEmpty = (file: string): boolean => this.#app?.modules.get(file)?.compiled.source === "";
    if (leftMs > 0 && this.#takenIn.some(isEmpty)) {
      this.#emptyFiles = setTimeout(() => this.closeUnadopted(), leftMs).unref();
      return;
    }
    for (const { kind, address } of this.#parts.front.closeUnadopted(epoch.number)) {
      const message = `closed ${publicUrl(reachedBy(kind, address))}: the code that is loaded no longer listens there`;
      this.#parts.emit("log", { level: "info", message });
    }
  }

  #delayAfter(end: UnexpectedEnd, wasAnswering: boolean): number | undefined {
    return this.#crashes.next({
      livedMs: performance.now() - this.#bootedAt,
      wasAnswering,
      listened: this.#parts.front.addresses().length > 0,
      code: end.type === "exited" ? end.code : undefined,
    });
  }

  #startAgainAfter(delayMs: number | undefined, reason: RestartReason = { type: "workerExit" }): void {
    this.#dropBackOff();
    if (delayMs === undefined || this.#closing) return;
    this.#backOff = setTimeout(() => {
      this.#restartReason ??= reason;
      void this.freshen();
    }, delayMs);
  }

  #dropBackOff(): void {
    clearTimeout(this.#backOff);
    this.#backOff = undefined;
  }

  // ---- the run

  #begin(): Run {
    clearTimeout(this.#eager);
    this.#dropBackOff();
    Atomics.store(this.#parts.table, HOLD, 1);
    let resolve: (report: ReloadReport) => void = () => undefined;
    const done = new Promise<ReloadReport>((settle) => {
      resolve = settle;
    });
    const run: Run = { done, began: performance.now(), interruption: new AbortController(), why: undefined };
    this.#run = run;
    void this.#work(run).then((report) => {
      this.#end();
      resolve(report);
    });
    return run;
  }

  /** Never rejects. */
  async #work(run: Run): Promise<ReloadReport> {
    let report = await this.#cycle(run);
    // What modules have just asked for is watched before anybody edits it, also when nobody will look by himself.
    while (this.#mustWork() || (!this.#closing && this.#parts.monitoring.outdated(this.#app?.asks))) {
      const next = await this.#cycle(run);
      // A file event that comes late finds nothing to do.
      if (next.kind !== "unchanged") report = next;
    }
    return report;
  }

  #end(): void {
    clearTimeout(this.#supersede);
    this.#supersede = undefined;
    this.#run = undefined;
    this.#invalidatedInRun.clear();
    this.#sayInstead();
    Atomics.store(this.#parts.table, HOLD, 0);
    this.#app?.epoch.releaseRequests();
    // Asked for in the very moment in which the run ended.
    if (this.#restartReason !== undefined && !this.#closing) void this.freshen();
    else this.closeUnadopted();
    if (this.#state.phase === "failed") return;
    // The host's own code runs when nobody waits for the run any more: it may ask for the app.
    const { monitoring } = this.#parts;
    this.#told = this.#told.then(() => monitoring.tellDeleted());
  }

  /** Gives up what the run waits for, as soon as that can be given up. */
  #interrupt(run: Run, why: Interrupt): void {
    if (this.#run !== run || run.interruption.signal.aborted) return;
    run.why = why;
    run.interruption.abort();
  }

  #watchWhetherSuperseded(run: Run): void {
    // What has taken long already gets no more time.
    const isLong = performance.now() - run.began >= BLOCKED_MS;
    this.#supersede ??= setTimeout(() => void this.#lookWhetherSuperseded(run), isLong ? QUIET_MS : SUPERSEDE_MS);
  }

  /** A save that came while the run was at work: if it is one, what is at work has been superseded by it. */
  async #lookWhetherSuperseded(run: Run): Promise<void> {
    this.#supersede = undefined;
    await this.#lookAtFiles();
    if (this.#arrived.empty || this.#run !== run) return;
    const files = this.#arrived.all();
    if (this.#supersedings.mayEnd(files, performance.now() - run.began)) this.#interrupt(run, "superseded");
    else this.#tellOwnWrites(files);
  }

  #tellOwnWrites(files: readonly string[]): void {
    const shown = files.map((file) => path.relative(this.#parts.options.root, file)).join(", ");
    const message = `${shown}: written whenever the app starts, by itself as it seems; the start goes on without it`;
    this.#parts.emit("log", { level: "warn", message });
  }

  /**
   * Takes what the registry has noticed over to `#arrived`. One look at a time: the registry tells each change once, so that
   * of two looks the later one might tell the older state of a file last, and a run that ends beside a look would not know
   * what that has been told.
   */
  #lookAtFiles(): Promise<void> {
    this.#looking ??= this.#parts.registry.checkSettled().then((changes) => {
      this.#looking = undefined;
      this.#arrived.merge(changes);
      if (changes.length > 0) this.#crashes.forgive();
    });
    return this.#looking;
  }

  /** An error that nobody foresaw is the supervisor's own; people see it where they see theirs, and the app lives on. */
  async #cycle(run: Run): Promise<ReloadReport> {
    run.interruption = new AbortController();
    run.why = undefined;
    const started = performance.now();
    this.#parts.progress.begin();
    run.began = started;
    try {
      const report = await this.#takeIn(run, started);
      if (run.why !== "superseded") this.#supersedings.settled();
      return report;
    } catch (error) {
      return this.#fail(serializeError(error), started, undefined);
    } finally {
      this.#parts.progress.end();
    }
  }

  #mustWork(): boolean {
    if (this.#closing) return false;
    if (this.#restartReason !== undefined || this.#invalidated.size > 0 || this.#cleared) return true;
    if (this.#looking !== undefined) return true;
    if (this.#testReloads?.isDue) return true;
    const { phase } = this.#state;
    if (phase === "booting" || (phase === "running" && this.#app?.epoch.alive === false)) return true;
    if (!this.#arrived.isNothing) return true;
    const { options, registry, monitoring } = this.#parts;
    if (options.cooldown === "off") return false;
    return registry.stale() || monitoring.outdated(this.#app?.asks);
  }

  async #takeIn(run: Run, started: number): Promise<ReloadReport> {
    const { configChanges, monitoring, emit } = this.#parts;
    // A look that is under way may have seen less than there is now.
    await this.#looking;
    await this.#lookAtFiles();
    this.#pending.take(this.#arrived);
    this.#arrived = new PendingChanges();
    for (const message of configChanges.take(this.#pending.config)) emit("log", { level: "warn", message });
    if (this.#closing) return this.#report("unchanged", started);
    const app = this.#app;
    this.#lookAtPatterns(app);
    const cleared = this.#cleared;
    this.#cleared = false;
    const test = this.#testReloads?.take(app);
    if (cleared && app) app.damage(app.graph.files());
    for (const [file, again] of this.#invalidated) this.#pending.invalidated.set(file, again);
    this.#invalidated.clear();
    if (this.#pending.config.size > 0) this.#restartReason ??= { type: "changed", files: [...this.#pending.config] };
    if (app === undefined || !this.#isUsable(app) || this.#restartReason) {
      return this.#restart(run, started);
    }
    if (test && this.#pending.empty) return this.#testReload(run, app, test, started);
    if (this.#pending.empty && !cleared && monitoring.missing(app.graph).length === 0) {
      return this.#report("unchanged", started);
    }
    return this.#reload(run, app, started);
  }

  #isUsable({ epoch }: LoadedApp): boolean {
    return epoch.alive && epoch !== this.#left;
  }

  /** Nothing has changed: what the app answers must not either. */
  async #testReload(run: Run, app: LoadedApp, test: TestReload, started: number): Promise<ReloadReport> {
    const { inPlace, options, emit } = this.#parts;
    if (test.type === "identity") {
      app.damage(test.files);
      return this.#reload(run, app, started);
    }
    this.#move({ type: "reload" });
    const again = await inPlace.rollBack(app, test.files, this.generation + 1, this.#limits(run));
    this.#move({ type: "unchanged" });
    if (!("error" in again)) {
      emit("log", { level: "info", message: rolledBackText(test, again, options.root) });
      return this.#report("unchanged", started);
    }
    this.#restartReason = { type: "reloadFailed", error: again.error };
    return this.#restart(run, started);
  }

  /** Files have come or gone, or somebody has asked for more. */
  #lookAtPatterns(app: LoadedApp | undefined): void {
    const { monitoring } = this.#parts;
    const { added, deleted } = this.#pending;
    if (added.size + deleted.size > 0 || monitoring.outdated(app?.asks)) monitoring.look(app?.asks, deleted);
  }

  // ---- in place

  async #reload(run: Run, app: LoadedApp, started: number): Promise<ReloadReport> {
    const { inPlace, emit } = this.#parts;
    const wasFailed = this.#state.phase === "failed" ? this.#state.error : undefined;
    this.#move({ type: "reload" });
    const { graph } = app;
    const outcome = await inPlace.run(app, this.#pending, this.generation + 1, this.#limits(run));
    switch (outcome.type) {
      case "unchanged":
        this.#pending.clear();
        this.#move({ type: "unchanged" });
        if (wasFailed) {
          const message = `mended: the files are again as generation ${this.generation} has them`;
          emit("log", { level: "info", message });
        }
        return this.#report("unchanged", started);
      case "unprepared":
        return this.#fail(outcome.error, started, outcome.preparation);
      case "needsRestart":
        this.#restartReason = outcome.reason;
        return this.#restart(run, started);
      case "failed":
        return this.#tryFreshWorker(run, app, outcome.preparation, outcome.error, started);
      case "interrupted":
        return this.#interrupted(run, outcome.because, outcome.preparation, wasFailed, started);
      case "abandoned":
        return this.#leaveThread(run, app, outcome.because, started);
      case "applied":
        break;
      default:
        return outcome satisfies never;
    }
    this.#move({ type: "applied", generation: this.generation + 1 });
    const report = this.#report("reloaded", started, outcome);
    this.#tellChanges();
    this.#tellApplied(outcome.plans, report, graph);
    this.#forgetPending();
    emit("reload", report);
    return report;
  }

  #limits(run: Run): WaitLimits {
    const deadlineMs = this.#servesLastGood ? APPLY_WITH_LAST_GOOD_MS : APPLY_MS;
    return { deadlineMs, signal: run.interruption.signal };
  }

  get #servesLastGood(): boolean {
    return this.#parts.options.onError === "last-good";
  }

  /** A plan was given up, and the thread is back at the versions it had. */
  async #interrupted(
    run: Run,
    because: Interruption,
    preparation: Preparation,
    wasFailed: SerializedError | undefined,
    started: number,
  ): Promise<ReloadReport> {
    this.#move({ type: "interrupted" });
    // The newer save, or the restart, comes next.
    if (because === "aborted") {
      if (wasFailed) this.#move({ type: "failed", error: wasFailed, threadAlive: true });
      return this.#report("unchanged", started);
    }
    const app = this.#app;
    if (this.#servesLastGood && app) await this.#parts.inPlace.mend(app, this.generation, this.#limits(run));
    return this.#fail(givenUp(started), started, preparation);
  }

  /** The thread does not answer: a fresh one takes over, and it may finish what it has begun, if it can. */
  #leaveThread(run: Run, app: LoadedApp, because: Interruption, started: number): Promise<ReloadReport> {
    this.#parts.front.abandonEpoch(app.epoch.number);
    this.#left = app.epoch;
    if (run.why !== "restart" && run.why !== "closing")
      this.#restartReason ??= { type: "blocked", files: this.#pending.all(), began: because !== "blocked" };
    if (this.#closing) return this.#fail(givenUp(started), started, undefined);
    run.interruption = new AbortController();
    run.why = undefined;
    return this.#restart(run, started);
  }

  /**
   * The last step of the climb: an error that a fresh worker shows as well is the app's. The fresh worker runs beside the
   * old one, which keeps its state for the next save; when it fails for another reason than the reload did (a lock that
   * the old one holds, say), only a real restart can tell.
   */
  async #tryFreshWorker(
    run: Run,
    app: LoadedApp,
    preparation: Preparation,
    error: SerializedError,
    started: number,
  ): Promise<ReloadReport> {
    if (this.#closing) return this.#fail(error, started, preparation);
    const { epochs, inPlace } = this.#parts;
    const trial = await epochs.try(epochs.spawn(this.generation + 1), this.#prepareAll(), run.interruption.signal);
    switch (trial.type) {
      case "booted":
        await this.#replace(app, trial.app.epoch);
        return this.#booted(trial, { type: "reloadFailed", error }, started);
      case "abandoned":
        return this.#startAbandoned(trial.because, { type: "reloadFailed", error }, started, preparation);
      case "failed":
        break;
      default:
        return trial satisfies never;
    }
    if (this.#closing || (app.epoch.alive && trial.error.message === error.message)) {
      if (this.#servesLastGood) await inPlace.mend(app, this.generation, this.#limits(run));
      return this.#fail(trial.error, started, preparation);
    }
    this.#restartReason = { type: "reloadFailed", error };
    return this.#restart(run, started);
  }

  /**
   * Everything as it is on the disk. What was saved since the last check is in it, and the registry takes that for
   * reported: should the thread that runs now go on, it has to be told of that later.
   */
  #prepareAll(): Preparation {
    const preparation = this.#parts.preparer.all();
    for (const file of this.#app?.differingFrom(preparation) ?? []) this.#pending.changed.add(file);
    return preparation;
  }

  // ---- in a fresh worker

  /** A fresh worker with everything compiled anew. Also the first start. */
  async #restart(run: Run, started: number): Promise<ReloadReport> {
    const { monitoring, subclasses, control, listening, epochs, preparer, emit } = this.#parts;
    const reason = this.#restartReason;
    this.#restartReason = undefined;
    monitoring.look(undefined, this.#pending.deleted);
    for (const message of subclasses.malformed()) emit("log", { level: "warn", message });
    if (!this.#closing) control.open();
    listening.loading();
    this.#parts.startSettled.again();
    const fresh = epochs.spawn(this.generation + 1);
    const preparation = this.#prepareAll();
    const failure = preparer.failureOf(preparation);
    if (failure) {
      void epochs.retire(fresh, 0);
      return this.#fail(serializeSourceError(failure), started, preparation);
    }
    this.#move({ type: "boot", epoch: fresh.number });
    const outcome = await this.#boot(fresh, preparation, run);
    switch (outcome.type) {
      case "booted":
        return this.#booted(outcome, reason, started);
      case "abandoned":
        return this.#startAbandoned(outcome.because, reason, started, preparation);
      case "failed":
        if (outcome.end) this.#startAgainAfter(this.#delayAfterStart(outcome.end));
        return this.#fail(outcome.error, started, preparation);
      default:
        return outcome satisfies never;
    }
  }

  /** Nothing can be done about an app that ends itself while it starts but to try it again, a few times. */
  #delayAfterStart(end: UnexpectedEnd): number | undefined {
    const code = end.type === "exited" ? end.code : undefined;
    const delayMs = this.#crashes.next({ livedMs: 0, wasAnswering: false, listened: false, code });
    if (delayMs === undefined) return undefined;
    const when = delayMs === 0 ? "at once" : `in ${delayMs / 1000} s`;
    this.#parts.emit("log", { level: "info", message: `the app ended while it started: it is started again ${when}` });
    return delayMs;
  }

  /**
   * An old thread that has nothing in flight ends first, as with a restart: its hooks have run, and what it held is free,
   * before the new code begins. Else the new thread is tried beside the old one, which serves what it has begun. Should it
   * fail, what the old one holds for itself (a locked folder, a UDP port) may be the reason: then the old one goes first.
   */
  async #boot(fresh: AppEpoch, preparation: Preparation, run: Run): Promise<Boot> {
    const { epochs } = this.#parts;
    const old = this.#app;
    const { signal } = run.interruption;
    if (old?.epoch.alive && this.#goesFirst(old.epoch)) {
      this.#parts.front.refuseWaiting(old.epoch.number);
      await wait(epochs.retire(old.epoch, 0), { deadlineMs: GOES_FIRST_MS, signal });
    }
    if (!old?.epoch.alive) {
      this.#app = undefined;
      return epochs.boot(fresh, preparation, signal);
    }
    const trial = await epochs.try(fresh, preparation, signal);
    if (trial.type === "booted") await this.#replace(old, fresh);
    if (trial.type !== "failed" || this.#closing) return trial;
    await epochs.retire(old.epoch, MAKE_ROOM_MS, 2 * MAKE_ROOM_MS);
    this.#app = undefined;
    return epochs.boot(epochs.spawn(this.generation + 1), preparation, signal);
  }

  /** While the last good generation may have to answer, it stays until the new one has proved to be good. */
  #goesFirst(old: AppEpoch): boolean {
    const { requests, sockets } = this.#parts.front.inFlightOf(old.number);
    const answers = old !== this.#left && old.board.beats > 0 && this.#parts.silentMs(old) === 0;
    return answers && !this.#servesLastGood && requests + sockets + old.calls.size === 0;
  }

  async #replace(old: LoadedApp, fresh: AppEpoch): Promise<void> {
    const { epochs } = this.#parts;
    await epochs.promote(fresh);
    if (old.epoch.alive) epochs.drain(old.epoch);
  }

  /** A start was given up: for a newer save or a restart, which come next, or because it took too long. */
  #startAbandoned(
    because: "aborted" | "late",
    reason: RestartReason | undefined,
    started: number,
    preparation: Preparation,
  ): ReloadReport | Promise<ReloadReport> {
    if (because === "late" || this.#closing) return this.#fail(givenUp(started), started, preparation);
    this.#restartReason ??= reason;
    if (this.#state.phase !== "booting") this.#move({ type: "boot", epoch: this.#parts.epochs.last });
    return this.#report("unchanged", started);
  }

  #booted({ app, loaded }: Booted, reason: RestartReason | undefined, started: number): ReloadReport {
    const { listening, leaks, preparer, emit } = this.#parts;
    this.#app = app;
    this.#tellChanges();
    this.#tellApplied({ purged: [], loaded }, { why: {} }, undefined);
    leaks.forget();
    this.#bootedAt = performance.now();
    this.#forgetPending();
    if (this.#state.phase !== "booting") this.#move({ type: "boot", epoch: app.epoch.number });
    this.#move({ type: "booted", generation: this.generation + 1 });
    const report = this.#report("restarted", started);
    listening.loaded(app.size);
    if (this.#testReloads && !reason) emit("log", { level: "info", message: `${VARIABLE}=${this.#testReloads.text}` });
    if (reason) {
      const { epoch, generation, durationMs } = report;
      emit("restarted", { epoch, generation, modules: app.size, durationMs, reason });
      emit("reload", report);
    }
    clearTimeout(this.#afterStart);
    this.#afterStart = setTimeout(() => preparer.afterStart(app), AFTER_START_MS).unref();
    return report;
  }

  // ---- state, reports and steps

  #verdict(): Verdict {
    const admitted = admission(this.#state, this.#servesLastGood);
    switch (admitted.type) {
      case "pass":
      // A hold ends with the run that the caller has waited for; a state that still holds is one that closes.
      case "hold":
        return { type: "pass" };
      case "failure":
        return this.#failureVerdict(admitted.error);
      case "closing":
        return { type: "page", page: { status: 503, text: "unreloader: the server is closing\n" } };
      default:
        return admitted satisfies never;
    }
  }

  /** Within a TLS or HTTP/2 session only the worker can say what the gate says. */
  #sayInstead(): void {
    const verdict = this.#verdict();
    const said = this.#parts.front.sayInstead(verdict.type === "page" ? verdict.page : undefined);
    if (said !== undefined) this.#app?.epoch.sayInstead(said);
  }

  #failureVerdict(error = this.#lastFailure?.error): Verdict {
    if (!error) return { type: "pass" };
    const { onError } = this.#parts.options;
    const text = this.#lastFailure ? failureText(this.#lastFailure, { cwd: process.cwd(), onError }) : "";
    return { type: "page", page: { status: 500, text, error } };
  }

  /** What was pending is taken in. */
  #forgetPending(): void {
    this.#takenIn = this.#pending.all();
    this.#takenInAt = performance.now();
    this.#pending.clear();
  }

  #move(event: StateEvent): void {
    this.#state = transition(this.#state, event);
  }

  async #fail(error: SerializedError, started: number, preparation: Preparation | undefined): Promise<ReloadReport> {
    const report = await this.#becomeFailed(error, started, preparation);
    // It is no fault of the code, and no save will mend it.
    if (lacksDescriptors(error) && this.#backOff === undefined)
      this.#startAgainAfter(LACK_MS, { type: "reloadFailed", error });
    this.#tellChanges();
    this.#parts.emit("failed", report);
    this.#parts.emit("reload", report);
    return report;
  }

  /** `ended`: the thread whose end it is. */
  async #becomeFailed(
    error: SerializedError,
    started: number,
    preparation: Preparation | undefined,
    ended?: AppEpoch,
  ): Promise<FailureReport> {
    const { front, address, options, startSettled } = this.#parts;
    this.#app?.epoch.announceFailure(error);
    this.#move({ type: "failed", error, threadAlive: this.#app !== undefined && this.#isUsable(this.#app) });
    const importedBy = importersOf(error, preparation?.graph, options.entry);
    const lastLines = ended?.board.lastLines(LAST_LINES) ?? [];
    this.#lastFailure = {
      ...this.#report("failed", started),
      kind: "failed",
      error,
      importedBy,
      ...(ended && { ended: true }),
      ...(lastLines.length > 0 && { lastLines }),
    };
    const report = this.#lastFailure;
    if (address.exposes && front.addresses().length === 0 && !this.#closing) await this.#openFallback();
    // Requests that wait for a server get the page instead.
    front.recheck();
    startSettled.settle();
    return report;
  }

  /** Nothing of the app has ever listened: the failure needs a port to be seen at. */
  async #openFallback(): Promise<void> {
    const { front, address, listening, emit } = this.#parts;
    try {
      const opened = await front.openUnserved(address.fallback);
      listening.opened({ kind: "http", address: opened });
    } catch (error) {
      const message = `the failure cannot be shown in a browser: ${errorText(error)}`;
      emit("log", { level: "warn", message });
    }
    listening.loaded(0);
  }

  #report(kind: ReloadReport["kind"], started: number, applied?: CycleOutcome["applied"]): ReloadReport {
    return reportOfCycle({
      kind,
      generation: this.generation,
      epoch: this.#app?.epoch.number ?? this.#parts.epochs.last,
      pending: this.#pending,
      evaluated: this.#app?.size ?? 0,
      durationMs: performance.now() - started,
      applied,
    });
  }

  // ---- steps, for the log level `debug`

  #tellChanges(): void {
    const { options } = this.#parts;
    if (options.logLevel === "debug") this.#tell(changeSteps(this.#pending, options.root));
  }

  /** `before`: as it was when the reload began; undefined at a start. */
  #tellApplied(
    { purged, loaded }: Pick<AppliedPlans, "purged" | "loaded">,
    { why }: Pick<ReloadReport, "why">,
    before: ModuleGraph | undefined,
  ): void {
    const { options } = this.#parts;
    if (options.logLevel !== "debug") return;
    const observedBefore = (file: string) => before?.get(file)?.observed;
    this.#tell(appliedSteps({ purged, loaded, why, observedBefore }, options.root));
  }

  #tell(messages: readonly string[]): void {
    for (const message of messages) this.#parts.emit("log", { level: "debug", message });
  }
}

/** Lines that the app wrote last, on the page about its end. */
const LAST_LINES = 20;

function givenUp(started: number): SerializedError {
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  return {
    name: "StuckError",
    code: "ERR_UNRELOADER_STUCK",
    message: `the new code was given up after ${seconds} s: its evaluation has not come to an end`,
  };
}
