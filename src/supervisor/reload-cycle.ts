/**
 * Brings the app to its newest code: owns what is pending, the state, and when something is done about it. One run at a time
 * does it until nothing is left to do. What it waits for can be given up: for a newer save, a restart, the end, or a thread
 * that does not answer. (reload-step and fresh-worker do the work. Above 350 lines: all that may begin a run, or interrupt
 * one, stands here, since each has to know of the others.)
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { BLOCKED_MS, CLOSE_POLL_MS, CRASH_LOOP_HOLD_MS, JOIN_MS, QUIET_MS } from "../common/deadlines.js";
import { HOLD } from "../common/protocol/connection-table.js";
import { type SourceLocation, serializeError } from "../common/protocol/serialized-error.js";
import { lookUntil, wait } from "../common/wait.js";
import type { Verdict } from "../front/turn.js";
import { CycleReports } from "../reports/cycle-reports.js";
import type { FailureReport, ReloadReport, RestartReason, StaleReferencesReport } from "../reports/report.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { errorOfEnd, type UnexpectedEnd } from "../thread/app-thread.js";
import { Arrivals } from "./arrivals.js";
import { CausedReloads } from "./caused-reloads.js";
import { CrashRestarts } from "./crash-restarts.js";
import type { CycleParts } from "./cycle-parts.js";
import { CycleState } from "./cycle-state.js";
import { configCode } from "./edit-codes.js";
import { Failures } from "./failures.js";
import { FreshWorker } from "./fresh-worker.js";
import type { Predecessor } from "./guard.js";
import { Hold } from "./hold.js";
import type { LoadedApp } from "./loaded-app.js";
import { ReloadStep } from "./reload-step.js";
import { Run } from "./run.js";
import type { State } from "./state.js";
import { SupersedingWatch } from "./superseding-watch.js";
import { TestReloads, VARIABLE } from "./test-reloads.js";
import { UnadoptedPorts } from "./unadopted-ports.js";

export class ReloadCycle {
  readonly #parts: CycleParts;
  readonly #state: CycleState;
  readonly #arrivals: Arrivals;
  readonly #reports: CycleReports;
  readonly #failures: Failures;
  readonly #fresh: FreshWorker;
  readonly #reloads: ReloadStep;
  readonly #crashes: CrashRestarts;
  readonly #unadopted: UnadoptedPorts;
  readonly #superseding: SupersedingWatch;
  readonly #caused: CausedReloads;
  /** Saves wait for the end of an edit of several files. */
  readonly hold: Hold;
  /** Files of packages that have changed meanwhile. */
  #heldPackages: readonly string[] = [];
  readonly #testReloads = TestReloads.of(process.env[VARIABLE]);
  #run: Run | undefined;
  /** What is told to the host after a run; with the next run's behind it. */
  #told: Promise<void> = Promise.resolve();
  /** Somebody has asked for a reload, or a start: what has failed is tried again. */
  #isAsked = false;
  /** Checks for changes when a burst of saves is over. */
  #eager: NodeJS.Timeout | undefined;

  constructor(parts: CycleParts) {
    this.#parts = parts;
    const { front, registry, options, epochs, guard, emit, over } = parts;
    const state = new CycleState(() => parts.view.changed());
    this.#state = state;
    const tell = (message: string): void => emit("log", { level: "info", message });
    const debug = (message: string): void => emit("log", { level: "debug", message });
    this.#crashes = new CrashRestarts({
      front,
      options,
      guard,
      over,
      endsWithApp: () => parts.endsWithApp(),
      takenPorts: parts.takenPorts,
      emit,
      startAgain: (reason) => this.#startAgain(reason),
    });
    this.#arrivals = new Arrivals(registry, () => this.#crashes.reset());
    const warn = (message: string): void => emit("log", { level: "warn", message });
    this.#superseding = new SupersedingWatch({
      root: options.root,
      arrivals: this.#arrivals,
      ownWrites: parts.ownWrites,
      isUnderWay: (run) => this.#run === run,
      warn,
    });
    this.#caused = new CausedReloads({ root: options.root, warn });
    this.#reports = new CycleReports({ options, state, lastEpoch: () => epochs.last, debug });
    const shared = { parts, state, reports: this.#reports };
    this.#failures = new Failures({ ...shared, crashes: this.#crashes });
    const acting = { ...shared, failures: this.#failures };
    this.#fresh = new FreshWorker({ ...acting, crashes: this.#crashes, greeting: this.#testReloads?.greeting });
    this.#reloads = new ReloadStep({ ...acting, fresh: this.#fresh });
    const busy = (): boolean => this.#run !== undefined || this.#mustWork();
    this.hold = new Hold({ changed: () => this.#holdChanged(), over: () => this.#takeHeldIn() });
    this.#unadopted = new UnadoptedPorts({ front, state, busy, tell });
  }

  get app(): LoadedApp | undefined {
    return this.#state.app;
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
    return this.#parts.front.inFlight() + (this.app?.epoch.calls.size ?? 0);
  }

  /** Nothing is under way, or waits to be taken in: what runs is the newest code, or that has failed. */
  get isSettled(): boolean {
    const { registry, startSettled } = this.#parts;
    return this.#run === undefined && startSettled.isSettled && !this.#mustWork() && !registry.isMarked;
  }

  /** Why the newest code does not run. */
  get failure(): FailureReport | undefined {
    return this.#failures.last;
  }

  // ---- what may be asked for

  /** Does what there is to do. Never rejects. */
  freshen(): Promise<ReloadReport> {
    return (this.#run ?? this.#begin()).done;
  }

  /** The same, and resolves only when the host has been told; not if the host may be asking while it is told. */
  async freshenAndTell(): Promise<ReloadReport> {
    const { isTelling } = this.#parts.monitoring;
    this.#isAsked = true;
    const report = await this.freshen();
    if (!isTelling) await this.#told;
    return report;
  }

  unchanged(): ReloadReport {
    return this.#reports.report("unchanged", performance.now());
  }

  /** Looks at all files now, and applies what has changed. Not held up by what is stuck. */
  async reload(): Promise<ReloadReport> {
    const run = this.#run;
    this.#caused.asked();
    this.#parts.registry.markAll();
    if (run === undefined) return this.freshenAndTell();
    // It may have looked at the files before this call.
    this.#superseding.look(run);
    const waited = await wait(run.done, { deadlineMs: JOIN_MS });
    // What goes on has the newest files; it may take its time, or be stuck.
    return waited.type === "settled" ? this.freshenAndTell() : this.unchanged();
  }

  /**
   * Looks at all files now. Resolves when nothing is under way that may take them in: with `hold`, or a cooldown, they may
   * be waiting still.
   */
  async takeAllIn(): Promise<void> {
    this.#caused.asked();
    this.#parts.registry.lookAtAll();
    for (;;) {
      if (this.#run) await this.#run.done;
      else if (this.#mustWork()) await this.freshen();
      else if (this.phase !== "running" || this.#parts.startSettled.isSettled) return;
      else await this.#parts.startSettled.wait();
    }
  }

  /** A fresh worker, whatever is under way. */
  restart(): Promise<ReloadReport> {
    this.#state.restartReason = { type: "asked" };
    this.#crashes.reset();
    this.#run?.interrupt("restart");
    return this.freshenAndTell();
  }

  /** Forgets everything that is loaded: the next request, call or `reload()` evaluates all own modules again. */
  clear(): void {
    this.#parts.registry.markAll();
    this.#arrivals.clear();
    this.#holdRequests();
  }

  /** What a request that begins now must do; a promise when it has to wait for that. */
  admit(isAgain = false): Verdict | Promise<Verdict> {
    if (!isAgain && this.phase === "running") this.#testReloads?.count();
    this.#caused.asked();
    if (this.#run === undefined && !this.#mustWork()) return this.#failures.verdict();
    const done = this.freshen();
    return this.#crashes.isLooping ? this.#admitToLoop(done) : done.then(() => this.#failures.verdict());
  }

  /** It will most probably crash again, and who asks wants to see why; but a request waits for a save, which may mend it. */
  async #admitToLoop(done: Promise<unknown>): Promise<Verdict> {
    const waited = await wait(done, { deadlineMs: CRASH_LOOP_HOLD_MS });
    if (waited.type !== "settled" && this.#crashes.isLooping) return this.#failures.page();
    await done;
    return this.#failures.verdict();
  }

  /** Requests that begin from now on are held, also those that come to the worker without passing the gate. */
  #holdRequests(): void {
    Atomics.store(this.#parts.table, HOLD, 1);
  }

  /** What a request that is held waits for, in words. */
  waitingFor = (): string => this.#state.waitingFor;

  /**
   * Begins nothing any more. What is under way may come to its end for `graceMs`, so that who waits for it is answered;
   * then it is given up. Resolves when nothing is under way. What comes to the code that runs is served until `close`.
   */
  async stop(graceMs: number, isHeard: boolean): Promise<void> {
    this.#state.closing = true;
    clearTimeout(this.#eager);
    this.hold.stop();
    this.#superseding.stop();
    this.#crashes.stop();
    this.#fresh.stop();
    this.#unadopted.stop();
    const end = performance.now() + graceMs;
    const run = this.#run;
    if (run) {
      // Nobody waits for an app that has never served.
      const deadlineMs = this.phase === "booting" && this.inFlight === 0 && !isHeard ? 0 : graceMs;
      const waited = await wait(run.done, { deadlineMs });
      if (waited.type !== "settled") run.interrupt("closing");
      await run.done;
      // What the run has let pass may still wait for the server that the new code opens, or be on its way there.
      const isAwaited = (epoch = this.#state.runs) => epoch !== undefined && this.#parts.front.isAwaited(epoch);
      await lookUntil(() => !isAwaited(), CLOSE_POLL_MS, end);
    }
  }

  /** Nothing more is served. */
  close(): void {
    this.#state.move({ type: "close" });
    this.#failures.sayInstead();
  }

  closed(): void {
    this.#state.move({ type: "closed" });
  }

  // ---- what happens

  /** A file was written, as far as the watcher can tell: nothing that begins now may pass before it has been checked. */
  noticed(): void {
    const { options, registry } = this.#parts;
    const { cooldown } = options;
    this.#parts.view.changed();
    if (this.#state.closing || cooldown === "off" || this.hold.isActive) return;
    // During a cooldown requests go on to the old code.
    if (registry.stale()) this.#holdRequests();
    clearTimeout(this.#eager);
    this.#eager = setTimeout(() => void this.freshen(), Math.max(QUIET_MS, cooldown));
    if (this.#run) this.#superseding.look(this.#run);
  }

  /** Files of packages, which are evaluated once in a thread. */
  packagesChanged(files: readonly string[]): void {
    if (this.#state.closing || this.#parts.options.cooldown === "off") return;
    if (this.hold.isActive) this.#heldPackages = [...new Set([...this.#heldPackages, ...files])];
    else this.#startAgain({ type: "changed", files, code: "UR50" });
  }

  /** Whether what was loaded last answers in place of a failure may be another thing now. */
  #holdChanged(): void {
    this.#failures.sayInstead();
    this.#parts.view.changed();
  }

  #takeHeldIn(): void {
    const packages = this.#heldPackages;
    this.#heldPackages = [];
    if (packages.length > 0) this.packagesChanged(packages);
    if (!this.#mustWork()) return;
    this.#holdRequests();
    void this.freshen();
  }

  /** A module asks that its importers are loaded again. Nobody has saved anything, so that no cooldown counts. */
  invalidate(epoch: AppEpoch, file: string, again: boolean): void {
    if (this.#state.closing || this.app?.epoch !== epoch || !this.#arrivals.invalidate(file, again)) return;
    void this.freshen();
  }

  /** Something keeps old code alive. A request that does so ends by itself; of what else does, only a fresh thread is rid. */
  foundStale(report: StaleReferencesReport): void {
    const { options, emit } = this.#parts;
    emit("stale-references", report);
    // What a package did not let go of was told with the reload, which has seen to it.
    if (this.#state.closing || !options.strictPurge || report.inUse || report.entry !== undefined) return;
    this.#startAgain({ type: "stale", file: report.file });
  }

  /** What was begun before a reload blocks the thread; a restart would have ended it. Nobody has to save again. */
  purgedRuns(epoch: number, location: SourceLocation): void {
    if (!this.#state.serves(epoch)) return;
    this.#run?.interrupt("restart");
    this.#startAgain({ type: "purgedRuns", location });
  }

  /** A package stands still since a purge: see workers/stopped-queues.ts. */
  queueStopped(
    { number }: AppEpoch,
    { file, packageName }: { readonly file: string; readonly packageName: string },
  ): void {
    if (!this.#state.serves(number)) return;
    this.#run?.interrupt("restart");
    this.#startAgain({ type: "stuck", file, what: `place in a queue of the package ${packageName}` });
  }

  /** The entry cannot be evaluated twice in one thread: see workers/entry-proof.ts. */
  routeLost({ number }: AppEpoch, { file, route }: { readonly file: string; readonly route: string }): void {
    if (!this.#state.serves(number)) return;
    this.#parts.inPlace.losesRoutes(file, route);
    this.#startAgain({ type: "lost", file, route });
  }

  /** A thread ended without having been told to. */
  ended(epoch: AppEpoch, end: UnexpectedEnd): void {
    if (this.#state.closing || this.app?.epoch !== epoch) return;
    // Told when the run has come to its end, which has evaluated what is over now.
    if (this.#run !== undefined && end.type === "ended" && this.phase !== "reloading") return;
    const delayMs = this.#crashes.ended(epoch, end, this.phase === "reloading");
    // Those who wait for an answer of the thread go on with a fresh one.
    if (this.#run !== undefined) {
      void this.#failures.openFallback();
      return;
    }
    if (delayMs === 0) {
      // Said at once: a request or a save may begin the start before the port is open.
      this.#state.restartReason ??= { type: "workerExit" };
      void this.#failures.openFallback().then(() => this.freshen());
      return;
    }
    // The line about the exit says it all.
    const of = { of: epoch, phase: "run" } as const;
    void this.#failures.become(errorOfEnd(end), performance.now(), undefined, of, end.type !== "ended");
    this.#crashes.startAgainAfter(delayMs);
  }

  /** The first start is in the place of a process that had the app. Resolves when the app has started, or waits for that. */
  async startAfter({ end, ports, startedAt, afterMs }: Predecessor): Promise<void> {
    const waiting = afterMs === 0 ? undefined : this.#fresh.prepareToWait(startedAt);
    // Before anybody can ask for the app, who would start it.
    if (waiting) await this.#failures.become(errorOfEnd(end), performance.now(), waiting);
    await this.#parts.front.inherit(ports);
    this.#crashes.processEnded(end, waiting ? afterMs : 0);
    if (waiting) {
      this.#crashes.startAgainAfter(afterMs);
      return;
    }
    this.#startAgain({ type: "workerExit" });
    await this.freshenAndTell();
  }

  #startAgain(reason: RestartReason): void {
    this.#state.restartReason ??= reason;
    this.#state.isRetry = true;
    void this.freshen();
  }

  /** What may have been the last server of old code, or the first of new, has been seen to. */
  closeUnadopted(): void {
    this.#unadopted.close();
  }

  // ---- the run

  #begin(): Run {
    clearTimeout(this.#eager);
    this.#crashes.stop();
    this.#holdRequests();
    const run = new Run();
    this.#run = run;
    void this.#work(run).then((report) => {
      this.#end();
      this.#parts.view.changed();
      run.end(report);
    });
    return run;
  }

  /** Never rejects. */
  async #work(run: Run): Promise<ReloadReport> {
    const { monitoring } = this.#parts;
    let report = await this.#cycle(run);
    // What modules have just asked for is watched before anybody edits it, also when nobody will look by himself.
    while (this.#mustWork() || (!this.#state.closing && monitoring.outdated(this.app?.asks))) {
      const next = await this.#cycle(run);
      // A file event that comes late finds nothing to do.
      if (next.kind !== "unchanged") report = next;
    }
    return report;
  }

  #end(): void {
    this.#superseding.stop();
    this.#run = undefined;
    this.#arrivals.endRun();
    this.#failures.sayInstead();
    Atomics.store(this.#parts.table, HOLD, 0);
    this.app?.epoch.passRequests();
    // Asked for in the very moment in which the run ended.
    if (this.#state.restartReason !== undefined && !this.#state.closing) void this.freshen();
    else this.closeUnadopted();
    const { app } = this;
    if (app?.epoch.over?.type === "ended" && this.phase === "running") this.ended(app.epoch, app.epoch.over);
    if (this.phase === "failed") return;
    // The host's own code runs when nobody waits for the run any more: it may ask for the app.
    this.#told = this.#told.then(() => this.#parts.monitoring.tellDeleted());
  }

  /** An error that nobody foresaw is the supervisor's own; people see it where they see theirs, and the app lives on. */
  async #cycle(run: Run): Promise<ReloadReport> {
    const { progress } = this.#parts;
    run.goOn();
    const started = performance.now();
    progress.begin();
    run.began = started;
    try {
      const report = await this.#takeIn(run, started);
      this.#superseding.ended(run);
      this.#parts.view.reported(report);
      return report;
    } catch (error) {
      return this.#failures.fail(serializeError(error), started, undefined);
    } finally {
      progress.end();
      this.#caused.ended();
    }
  }

  #mustWork(): boolean {
    const state = this.#state;
    if (state.closing) return false;
    if (state.restartReason !== undefined || state.phase === "booting") return true;
    if (state.phase === "running" && state.app?.epoch.alive === false && !state.isOver) return true;
    if (this.hold.isActive) return false;
    if (this.#arrivals.any || this.#caused.isDue || this.#testReloads?.isDue) return true;
    const { options, registry, monitoring } = this.#parts;
    return options.cooldown !== "off" && (registry.stale() || monitoring.outdated(state.app?.asks));
  }

  async #takeIn(run: Run, started: number): Promise<ReloadReport> {
    const { configChanges, monitoring, registry, ownWrites, silentMs, address, emit, options, endsWithApp } =
      this.#parts;
    const state = this.#state;
    const { pending } = state;
    const isAsked = this.#isAsked;
    this.#isAsked = false;
    const isNew = (await this.#arrivals.takeFiles(pending)) || isAsked;
    if (isNew) state.isRetry = false;
    // The thread has said what it writes before it did; that may have come in this turn of the event loop.
    if (pending.changed.size > 0) await nextTurn();
    ownWrites.dropState(pending);
    const isCaused = this.#caused.drop(pending, (file) => state.app?.graph.has(file) ?? false);
    // It has ended, and no save is to run it again.
    const isDone = options.exit || endsWithApp() || (isCaused && pending.empty);
    if (state.isOver && isDone && !state.restartReason) return this.#reports.report("unchanged", started);
    const savedAgain = registry.takeSavedAgain();
    for (const message of configChanges.take(pending.config)) emit("log", { level: "warn", message });
    if (state.closing) return this.#reports.report("unchanged", started);
    const { app } = state;
    // Files have come or gone, or somebody has asked for more.
    if (pending.added.size + pending.deleted.size > 0 || monitoring.outdated(app?.asks))
      monitoring.look(app?.asks, pending.deleted);
    const test = this.#testReloads?.take(app);
    const isAll = this.#arrivals.takeRequests(pending, app);
    // A file event that comes late, or a save that left the file as it was: what has failed would fail again.
    if (state.phase === "failed" && !isNew && !isAll && !state.restartReason && pending.invalidated.size === 0)
      return this.#reports.report("unchanged", started);
    const config = [...pending.config];
    if (config.length > 0)
      state.restartReason ??= {
        type: "changed",
        files: config,
        code: configCode(config, options.envFiles),
      };
    if (app === undefined || !state.isUsable(app) || state.restartReason) {
      // Where the failure was to be seen, its mend is told; a script that runs again says for itself what it does.
      if (state.phase === "failed" && !state.isOver && address.exposes)
        state.restartReason ??= {
          type: "changed",
          files: pending.all(),
          code: state.generation === 0 ? "UR69" : "UR61",
        };
      return this.#fresh.restart(run, started);
    }
    if (test && pending.empty) return this.#reloads.test(run, app, test, started);
    const isNothing = pending.empty && !isAll && monitoring.missing(app.graph).length === 0;
    if (!isNothing) return this.#reloads.reload(run, app, started);
    // Who saves although there is nothing to change wants to be rid of what blocks the app.
    const isBlocked = savedAgain.length > 0 && silentMs(app.epoch) >= BLOCKED_MS;
    return isBlocked
      ? this.#reloads.leaveBlocked(run, app, savedAgain, started)
      : this.#reports.report("unchanged", started);
  }
}
