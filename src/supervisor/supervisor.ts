/**
 * Keeps one app at its newest code: notices changes, prepares them in this thread, has the app thread apply them, and
 * tells the front what a request that begins now must do. All work on the app goes through one single-flight cycle; the
 * pure parts (state, plan, pending changes) decide, this acts.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ConfigChanges } from "../config/config-changes.js";
import { UnreloaderError } from "../errors.js";
import { FileRegistry } from "../files/registry.js";
import { Front } from "../front/front.js";
import type { Verdict } from "../front/gate.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import type { ResolvedOptions } from "../options.js";
import {
  checkRequireOptions,
  existingPatterns,
  type Patterns,
  placedDependency,
  placedPath,
  placedPatterns,
  type RequireOptions,
} from "../patterns.js";
import { createConnectionTable, HOLD } from "../protocol/connection-table.js";
import type { PublicAddress } from "../protocol/messages.js";
import { reviveError, type SerializedError, serializeError } from "../protocol/serialized-error.js";
import { SocketFolder } from "../thread/socket-folder.js";
import type { AppEpoch } from "./app-epoch.js";
import { errorOfEnd, type UnexpectedEnd } from "./app-thread.js";
import type { AppliedPlans } from "./applied-plan.js";
import { releaseStoppedThreads } from "./debugger.js";
import { Embedding } from "./embedding.js";
import { cacheFolder } from "./environment.js";
import { type Booted, Epochs } from "./epochs.js";
import { failureText, importersOf, serializeSourceError } from "./failure.js";
import { InPlaceReload } from "./in-place-reload.js";
import type { LeakReport } from "./leak-report.js";
import { Leaks } from "./leaks.js";
import { ListenReports, reachedBy } from "./listen-reports.js";
import type { LoadedApp } from "./loaded-app.js";
import { Monitoring } from "./monitoring.js";
import { PendingChanges } from "./pending.js";
import type { Preparation } from "./prepare.js";
import { Preparer } from "./preparer.js";
import { PublicAddressChoice } from "./public-address.js";
import type { FailureReport, ReloadReport, RestartReason, StaleReferencesReport, SupervisorEvents } from "./report.js";
import { publicUrl } from "./report-lines.js";
import type { SpareThread } from "./spare-thread.js";
import { StartSettled } from "./start-settled.js";
import { admission, type State, type StateEvent, transition } from "./state.js";
import { appliedSteps, changeSteps } from "./steps.js";
import { SubclassNames } from "./subclass-names.js";

/** How long requests in flight may hold up a reload or a restart. */
const DRAIN_MS = 2000;
/** A burst of saves is one reload when its events are closer together than this, unless a request asks earlier. */
const QUIET_MS = 50;
/** An app that ends by itself sooner than this after its start, without a request in flight, would only do so again. */
const SHORT_LIFE_MS = 1000;
/** What a later reload gains from is done when the first requests have had their turn. */
const AFTER_START_MS = 500;

type EmittedEvents = { [Name in keyof SupervisorEvents]: [SupervisorEvents[Name]] };

export class Supervisor extends EventEmitter<EmittedEvents> {
  readonly #options: ResolvedOptions;
  readonly #table = createConnectionTable();
  readonly #socketFolder: SocketFolder;
  readonly #front: Front;
  readonly #registry: FileRegistry;
  readonly #monitoring: Monitoring;
  readonly #preparer: Preparer;
  readonly #epochs: Epochs;
  readonly #inPlace: InPlaceReload;
  readonly #leaks: Leaks;
  readonly #listening: ListenReports;
  readonly #embedding: Embedding;
  readonly #address: PublicAddressChoice;
  readonly #subclasses: SubclassNames;
  #state: State = { phase: "booting", epoch: 1, generation: 0 };
  /** The app that serves, or that would if the newest code were not broken. */
  #app: LoadedApp | undefined;
  readonly #pending = new PendingChanges();
  /** Files that have taken back what they accepted and are not in `#pending` yet; with true the file goes, too. */
  readonly #invalidated = new Map<string, boolean>();
  /** Those of the cycles that run: a second time is no news, and might go on for ever. */
  readonly #invalidatedInRun = new Set<string>();
  readonly #configChanges: ConfigChanges;
  #restartReason: RestartReason | undefined;
  /** `clear()` was called, and nobody has come since. */
  #cleared = false;
  #cycle: Promise<ReloadReport> | undefined;
  #closing: Promise<void> | undefined;
  #bootedAt = 0;
  #lastFailure: FailureReport | undefined;
  readonly #startSettled = new StartSettled();
  #eager: NodeJS.Timeout | undefined;
  #afterStart: NodeJS.Timeout | undefined;

  /**
   * `spare`: a thread that was started before anything else, to gain time. `atExit` is given what removes the files that
   * would stay behind when the process ends at once.
   */
  constructor(options: ResolvedOptions, spare?: SpareThread, atExit?: (removeFiles: () => void) => void) {
    super();
    this.#options = options;
    this.#configChanges = new ConfigChanges(options.configFiles);
    this.#socketFolder = new SocketFolder();
    this.#front = new Front({
      gate: { check: () => this.#admit() },
      table: this.#table,
      heldDeadline: options.heldDeadline,
      heldBytes: options.heldBytes,
      unreachable: (server) => {
        this.#epochs.listenAgain(server);
        void this.#leaks.ensureCommands();
      },
    });
    this.#listening = new ListenReports((report) => this.emit("listening", report));
    this.#address = new PublicAddressChoice(options, this.#front, this.#listening);
    this.#embedding = new Embedding({
      front: this.#front,
      admit: () => this.#admit(),
      epoch: () => this.#app?.epoch,
    });
    this.#registry = new FileRegistry({
      root: options.root,
      mode: options.watch,
      ignore: options.ignore,
      probeFolder: cacheFolder(options.root),
      ...(options.cooldown !== "off" && { cooldownMs: options.cooldown }),
      onStale: () => this.#noticed(),
      onWarning: (message: string) => this.emit("log", { level: "warn", message }),
    });
    this.#monitoring = new Monitoring({
      ...options,
      registry: this.#registry,
      failed: (what, error) => this.emit("log", { level: "warn", message: `${what} failed: ${error}` }),
    });
    const roots = () => this.#monitoring.roots;
    this.#preparer = new Preparer(options, this.#registry, roots);
    this.#leaks = new Leaks({
      options,
      folder: this.#socketFolder.path,
      preparer: this.#preparer,
      app: () => this.#app,
      cycle: () => this.#cycle,
      onNews: (report) => this.#foundStale(report),
      onLog: (message) => void this.emit("log", { level: "debug", message }),
    });
    this.#inPlace = new InPlaceReload({
      scope: options.scope,
      strictPurge: options.strictPurge,
      monitoring: this.#monitoring,
      preparer: this.#preparer,
      registry: this.#registry,
      drainMs: DRAIN_MS,
    });
    atExit?.(() => {
      this.#leaks.withdraw();
      this.#socketFolder.removeNow();
    });
    this.#subclasses = new SubclassNames(options.subclasses);
    this.#epochs = new Epochs({
      options,
      roots,
      classNames: () => this.#monitoring.classNames(),
      front: this.#front,
      preparer: this.#preparer,
      listening: this.#listening,
      socketFolder: this.#socketFolder,
      table: this.#table.buffer,
      spare,
      address: () => this.#address,
      exposes: () => this.#address.exposes,
      subclasses: this.#subclasses,
      busy: () => this.#cycle !== undefined || this.#inFlight() > 0,
      onLog: (level, message) => void this.emit("log", { level, message }),
      onInvalidated: (epoch, file, again) => this.#invalidate(epoch, file, again),
      onStale: (epoch, references, news) => this.#leaks.found(epoch, references, news),
      onStartSettled: () => this.#startSettled.settle(),
      onBegunWorkDone: () => this.#closeUnadopted(),
      onEnd: (epoch, end) => this.#ended(epoch, end),
    });
  }

  /** Starts the thread and evaluates the app. Settles when it serves, or when it failed and a page says so. */
  start(): Promise<ReloadReport> {
    return this.#freshen();
  }

  /**
   * Starts the app on a public port: `port` (127.0.0.1 unless `host` says otherwise), or without one where the app, or for
   * an exported app the option `port`, says. Resolves with the address of the first port once the app listens, be it long
   * after its evaluation, or has failed and a page says so; with undefined when it has nothing to do and never listened. Rejects with Node's own error (EADDRINUSE and the like), or with ERR_UNRELOADER_LISTENING.
   */
  async listen(port?: number, host?: string): Promise<PublicAddress | undefined> {
    this.#assertOpen();
    await this.#address.choose(port, host, this.#app !== undefined);
    if (this.#app === undefined) await this.start();
    // A port that was open before the app is told now, of a failed app too.
    this.#listening.loaded(this.#app?.size ?? 0);
    await this.#startSettled.wait();
    return this.#front.addresses()[0];
  }

  /** The app as a request handler of the host's own server: `(req, res, next?)`. */
  readonly handler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void =>
    this.#embedding.handle(request, response, next);

  /** For the `upgrade` event of the host's own server. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    this.#embedding.upgrade(request, socket, head);

  /** Asks the app, without a port. Relative URLs are relative to its public address. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    this.#assertOpen();
    return this.#embedding.fetch(input, init);
  }

  /**
   * Runs the function `name` that the entry exports, itself or in its default export, with clones of `args`; an AbortSignal
   * among them, or as the property `signal` of one, is followed. Rejects with what the function throws, with the reason of
   * an abort, and with ERR_UNRELOADER_CALL, _CLONE, _WORKER_EXIT or _CLOSED.
   */
  async call<Result = unknown>(name: string, ...args: readonly unknown[]): Promise<Result> {
    this.#assertOpen();
    return (await this.#embedding.call(name, args)) as Result;
  }

  /**
   * Loads files, globs and folders with their subfolders, and monitors them: a file that comes is loaded, one that goes is
   * purged. Paths start from the project root. Before the start, they are loaded with it, before the entry.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) when an argument does not fit, or a plain path does not exist.
   */
  async require(paths: Patterns, options: RequireOptions = {}): Promise<ReloadReport> {
    this.#assertOpen();
    checkRequireOptions("require", options);
    this.#monitoring.add(existingPatterns("require", paths, this.#options.root), options);
    if (this.#cycle === undefined && this.#state.phase === "booting")
      return this.#report("unchanged", performance.now());
    await this.#cycle;
    return this.#freshen();
  }

  /**
   * A change of `dependency` loads `files` again, after it. Each is a file, folder or glob, code or not, existing or not, or
   * a list of them; paths start from the project root.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) for what is no path.
   */
  recordDependency(dependency: Patterns, ...files: Patterns[]): void {
    this.#assertOpen();
    const { root } = this.#options;
    this.#monitoring.recordDependency(placedDependency("recordDependency", [dependency, ...files], root));
  }

  /**
   * `main` loads the files that `parts` match, which make up one class with it: a change, addition or deletion among them
   * evaluates all of them again, as `main` loads them.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) for what is no path.
   */
  recordSplitClass(main: string | URL, ...parts: Patterns[]): void {
    this.#assertOpen();
    const { root } = this.#options;
    const call = "recordSplitClass";
    this.#monitoring.recordSplitClass({
      main: placedPath(call, main, root),
      parts: placedPatterns(call, parts, root),
    });
  }

  /** Checks now, whatever the cooldown, and applies what has changed. */
  async reload(): Promise<ReloadReport> {
    this.#assertOpen();
    // A cycle that is under way may have looked at the files before this call.
    await this.#cycle;
    this.#registry.markAll();
    return this.#freshen();
  }

  /** A fresh worker behind the same public ports; requests wait meanwhile. */
  async restart(): Promise<ReloadReport> {
    this.#assertOpen();
    await this.#cycle;
    this.#restartReason ??= { type: "asked" };
    return this.#freshen();
  }

  /** Forgets everything that is loaded: the next request, call or `reload()` evaluates all own modules again. */
  clear(): void {
    this.#assertOpen();
    this.#registry.markAll();
    this.#cleared = true;
    Atomics.store(this.#table, HOLD, 1);
  }

  /** Looks now whether anything that was purged is still reachable; tells what is new by `stale-references` too. */
  async checkStaleReferences(): Promise<readonly StaleReferencesReport[]> {
    this.#assertOpen();
    return this.#leaks.check();
  }

  /**
   * Says who keeps purged code alive, by a heap snapshot: the app stands still while it is taken, requests wait. Waits for
   * a reload that is under way, and for an app that stands at a breakpoint. Concurrent calls share one.
   */
  async explainLeak(): Promise<LeakReport[]> {
    this.#assertOpen();
    return this.#leaks.explain();
  }

  /** Gives the app's own listeners for `signal` a turn. */
  signal(signal: NodeJS.Signals): void {
    this.#app?.epoch.signal(signal);
  }

  /** Stops accepting, lets requests finish for up to `deadlineMs`, ends every thread and watcher. Idempotent. */
  close(deadlineMs = 5000): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Plain data about what runs, for people and tests. */
  inspect() {
    const nodes = this.#app ? [...this.#app.graph.nodes()] : [];
    return {
      phase: this.#state.phase,
      generation: "generation" in this.#state ? this.#state.generation : 0,
      epoch: this.#app?.epoch.number ?? 0,
      modules: nodes.filter((node) => node.evaluated).map((node) => node.file),
      edges: nodes.map((node) => ({
        file: node.file,
        imports: [...node.imports],
        observed: [...node.observed],
        dynamic: [...node.dynamic],
      })),
      inFlight: this.#inFlight(),
      classes: Object.fromEntries(this.#app?.classes ?? []),
      ...this.#monitoring.inspect(this.#app?.graph, this.#app?.asks),
      /** As of the last look. */
      staleReferences: this.#leaks.references,
      /** The thread that is kept ready for the next fresh worker. */
      standby: this.#epochs.standby,
      addresses: this.#front.addresses(),
    };
  }

  #inFlight(): number {
    return this.#front.inFlight() + (this.#app?.epoch.calls.size ?? 0);
  }

  // ---- the gate

  #admit(): Verdict | Promise<Verdict> {
    if (this.#cycle === undefined && !this.#mustWork()) return this.#verdict();
    return this.#freshen().then(() => this.#verdict());
  }

  #verdict(): Verdict {
    const admitted = admission(this.#state, this.#options.onError === "last-good");
    switch (admitted.type) {
      case "pass":
      // A hold ends with the cycle that the caller has waited for; a state that still holds is one that closes.
      case "hold":
        return { type: "pass" };
      case "failure":
        return { type: "page", page: { status: 500, text: this.#failurePage(), error: admitted.error } };
      case "closing":
        return { type: "page", page: { status: 503, text: "unreloader: the server is closing\n" } };
      default:
        return admitted satisfies never;
    }
  }

  #failurePage(): string {
    const { onError } = this.#options;
    return this.#lastFailure ? failureText(this.#lastFailure, { cwd: process.cwd(), onError }) : "";
  }

  /** A file was written, as far as the watcher can tell: nothing that begins now may pass before it has been checked. */
  #noticed(): void {
    const { cooldown } = this.#options;
    if (this.#closing || cooldown === "off") return;
    // During a cooldown requests go on to the old code.
    if (this.#registry.stale()) Atomics.store(this.#table, HOLD, 1);
    clearTimeout(this.#eager);
    this.#eager = setTimeout(() => void this.#freshen(), Math.max(QUIET_MS, cooldown));
  }

  /** A module asks that its importers are loaded again. Nobody has saved anything, so that no cooldown counts. */
  #invalidate(epoch: AppEpoch, file: string, again: boolean): void {
    if (this.#closing || this.#app?.epoch !== epoch || this.#invalidatedInRun.has(file)) return;
    this.#invalidatedInRun.add(file);
    this.#invalidated.set(file, again);
    Atomics.store(this.#table, HOLD, 1);
    void this.#freshen();
  }

  /** Something keeps old code alive. A request that does so ends some day; what else does, only a fresh thread is rid of. */
  #foundStale(report: StaleReferencesReport): void {
    this.emit("stale-references", report);
    // What a package did not let go of was told with the reload, which has seen to it.
    if (this.#closing || !this.#options.strictPurge || report.inUse || report.entry !== undefined) return;
    this.#restartReason ??= { type: "stale", file: report.file };
    Atomics.store(this.#table, HOLD, 1);
    void this.#freshen();
  }

  #mustWork(): boolean {
    if (this.#closing) return false;
    if (this.#restartReason !== undefined || this.#invalidated.size > 0 || this.#cleared) return true;
    if (this.#state.phase === "booting") return true;
    if (this.#options.cooldown === "off") return false;
    return this.#registry.stale() || this.#monitoring.outdated(this.#app?.asks);
  }

  // ---- the cycle

  #freshen(): Promise<ReloadReport> {
    this.#cycle ??= this.#runCycles().finally(() => {
      this.#cycle = undefined;
      this.#closeUnadopted();
    });
    return this.#cycle;
  }

  async #runCycles(): Promise<ReloadReport> {
    clearTimeout(this.#eager);
    Atomics.store(this.#table, HOLD, 1);
    try {
      let report = await this.#runCycleSafely();
      // What modules have just asked for is watched before anybody edits it, also when nobody will look by himself.
      while (this.#mustWork() || (!this.#closing && this.#monitoring.outdated(this.#app?.asks))) {
        const next = await this.#runCycleSafely();
        // A file event that comes late finds nothing to do.
        if (next.kind !== "unchanged") report = next;
      }
      return report;
    } finally {
      this.#invalidatedInRun.clear();
      Atomics.store(this.#table, HOLD, 0);
      this.#app?.epoch.releaseRequests();
    }
  }

  /** An error that nobody foresaw is the supervisor's own; people see it where they see theirs, and the app lives on. */
  async #runCycleSafely(): Promise<ReloadReport> {
    const started = performance.now();
    try {
      const report = await this.#runCycle();
      if (report.kind !== "failed") await this.#monitoring.tellDeleted();
      return report;
    } catch (error) {
      return this.#fail(serializeError(error), started, undefined);
    }
  }

  async #runCycle(): Promise<ReloadReport> {
    const started = performance.now();
    this.#pending.merge(await this.#registry.checkSettled());
    for (const message of this.#configChanges.take(this.#pending.config)) this.emit("log", { level: "warn", message });
    if (this.#closing) return this.#report("unchanged", started);
    const app = this.#app;
    this.#lookAtPatterns(app);
    const cleared = this.#cleared;
    this.#cleared = false;
    if (cleared && app) app.damage(app.graph.files());
    for (const [file, again] of this.#invalidated) this.#pending.invalidated.set(file, again);
    this.#invalidated.clear();
    if (this.#pending.config.size > 0) this.#restartReason ??= { type: "changed", files: [...this.#pending.config] };
    if (app === undefined || !app.epoch.alive || this.#restartReason) return this.#restart(started);
    if (this.#pending.empty && !cleared && this.#monitoring.missing(app.graph).length === 0) {
      return this.#report("unchanged", started);
    }
    return this.#reload(app, started);
  }

  /** Files have come or gone, or somebody has asked for more. */
  #lookAtPatterns(app: LoadedApp | undefined): void {
    const { added, deleted } = this.#pending;
    if (added.size + deleted.size > 0 || this.#monitoring.outdated(app?.asks))
      this.#monitoring.look(app?.asks, deleted);
  }

  async #reload(app: LoadedApp, started: number): Promise<ReloadReport> {
    const wasBroken = this.#state.phase === "failed";
    this.#move({ type: "reload" });
    const { graph } = app;
    const outcome = await this.#inPlace.run(app, this.#pending, this.#generation + 1);
    switch (outcome.type) {
      case "unchanged":
        this.#pending.clear();
        this.#move({ type: "unchanged" });
        if (wasBroken) {
          const message = `mended: the files are again as generation ${this.#generation} has them`;
          this.emit("log", { level: "info", message });
        }
        return this.#report("unchanged", started);
      case "unprepared":
        return this.#fail(outcome.error, started, outcome.preparation);
      case "needsRestart":
        this.#restartReason = outcome.reason;
        return this.#restart(started);
      case "failed":
        return this.#tryFreshWorker(app, outcome.preparation, outcome.error, started);
      case "applied":
        break;
      default:
        return outcome satisfies never;
    }
    this.#move({ type: "applied", generation: this.#generation + 1 });
    const report = this.#report("reloaded", started, outcome);
    this.#tellChanges();
    this.#tellApplied(outcome.plans, report, graph);
    this.#pending.clear();
    this.emit("reload", report);
    return report;
  }

  /**
   * The last step of the climb: an error that a fresh worker shows as well is the app's. The fresh worker runs beside the
   * old one, which keeps its state for the next save; when it fails for another reason than the reload did (a lock that
   * the old one holds, say), only a real restart can tell.
   */
  async #tryFreshWorker(
    app: LoadedApp,
    preparation: Preparation,
    error: SerializedError,
    started: number,
  ): Promise<ReloadReport> {
    if (this.#closing) return this.#fail(error, started, preparation);
    const trial = await this.#epochs.try(this.#epochs.spawn(this.#generation + 1), this.#prepareAll());
    if (trial.type === "booted") {
      await this.#epochs.retire(app.epoch, DRAIN_MS);
      await this.#epochs.promote(trial.app.epoch);
      return this.#booted(trial, { type: "reloadFailed", error }, started);
    }
    if (this.#closing || (app.epoch.alive && trial.error.message === error.message)) {
      if (this.#options.onError === "last-good") await this.#inPlace.mend(app, this.#generation);
      return this.#fail(trial.error, started, preparation);
    }
    this.#restartReason = { type: "reloadFailed", error };
    return this.#restart(started);
  }

  /**
   * Everything as it is on the disk. What was saved since the last check is in it, and the registry takes that for
   * reported: should the thread that runs now go on, it has to be told of that later.
   */
  #prepareAll(): Preparation {
    const preparation = this.#preparer.all();
    for (const file of this.#app?.differingFrom(preparation) ?? []) this.#pending.changed.add(file);
    return preparation;
  }

  /** A fresh worker with everything compiled anew. Also the first start. */
  async #restart(started: number): Promise<ReloadReport> {
    const reason = this.#restartReason;
    this.#restartReason = undefined;
    const old = this.#app;
    this.#monitoring.look(undefined, this.#pending.deleted);
    for (const message of this.#subclasses.malformed()) this.emit("log", { level: "warn", message });
    if (!this.#closing) this.#leaks.answerOthers();
    this.#listening.loading();
    this.#startSettled.again();
    const fresh = this.#epochs.spawn(this.#generation + 1);
    const preparation = this.#prepareAll();
    const failure = this.#preparer.failureOf(preparation);
    if (failure) {
      await fresh.stop(0, true);
      return this.#fail(serializeSourceError(failure), started, preparation);
    }
    this.#move({ type: "boot", epoch: fresh.number });
    // The old thread goes first: what it holds for itself (a database folder, a lock) must be free for the new one.
    if (old?.epoch.alive) await this.#epochs.retire(old.epoch, DRAIN_MS);
    this.#app = undefined;
    const outcome = await this.#epochs.boot(fresh, preparation);
    if (outcome.type === "failed") return this.#fail(outcome.error, started, preparation);
    return this.#booted(outcome, reason, started);
  }

  // ---- threads

  #booted({ app, loaded }: Booted, reason: RestartReason | undefined, started: number): ReloadReport {
    this.#app = app;
    this.#tellChanges();
    this.#tellApplied({ purged: [], loaded }, { why: {} }, undefined);
    this.#leaks.forget();
    this.#bootedAt = performance.now();
    this.#pending.clear();
    if (this.#state.phase !== "booting") this.#move({ type: "boot", epoch: app.epoch.number });
    this.#move({ type: "booted", generation: this.#generation + 1 });
    const report = this.#report("restarted", started);
    this.#listening.loaded(app.size);
    if (reason) {
      const { epoch, generation, durationMs } = report;
      this.emit("restarted", { epoch, generation, modules: app.size, durationMs, reason });
      this.emit("reload", report);
    }
    clearTimeout(this.#afterStart);
    this.#afterStart = setTimeout(() => this.#preparer.afterStart(app), AFTER_START_MS).unref();
    return report;
  }

  #ended(epoch: AppEpoch, end: UnexpectedEnd): void {
    if (this.#closing || this.#app?.epoch !== epoch) return;
    const inFlight = this.#front.inFlight() + epoch.calls.size;
    this.#front.workerDied(epoch.number, reviveError(errorOfEnd(end)));
    const restarts = inFlight > 0 || performance.now() - this.#bootedAt >= SHORT_LIFE_MS;
    const next = restarts || this.#state.phase === "reloading" ? "restarting" : "waiting for a change";
    this.emit("worker-exit", { epoch: epoch.number, cause: end, next });
    // While a plan is being applied, whoever waits for its answer goes on with a fresh worker.
    if (this.#state.phase === "reloading") return;
    if (restarts) {
      this.#restartReason ??= { type: "workerExit" };
      void this.#freshen();
    } else {
      // The line about the exit says it all.
      void this.#becomeFailed(errorOfEnd(end), performance.now(), undefined);
    }
  }

  /**
   * Ports whose server was purged, or ended with its thread, belong to code that is gone when the code that runs is the
   * newest and has nothing going on that may still listen. Until then they stay open, and requests wait there.
   */
  #closeUnadopted(): void {
    const epoch = this.#app?.epoch;
    if (this.#cycle !== undefined || this.#state.phase !== "running" || !epoch?.alive) return;
    if (epoch.number !== this.#state.epoch || epoch.idleGeneration !== this.#generation) return;
    // What was saved meanwhile may listen there: the cycle that takes it in comes back here.
    if (this.#mustWork()) return;
    for (const { kind, address } of this.#front.closeUnadopted(epoch.number)) {
      const message = `closed ${publicUrl(reachedBy(kind, address))}: the code that is loaded no longer listens there`;
      this.emit("log", { level: "info", message });
    }
  }

  // ---- state and reports

  get #generation(): number {
    return "generation" in this.#state ? this.#state.generation : 0;
  }

  #move(event: StateEvent): void {
    this.#state = transition(this.#state, event);
  }

  async #fail(error: SerializedError, started: number, preparation: Preparation | undefined): Promise<ReloadReport> {
    const report = await this.#becomeFailed(error, started, preparation);
    this.#tellChanges();
    this.emit("failed", report);
    this.emit("reload", report);
    return report;
  }

  // ---- steps, for the log level `debug`

  #tellChanges(): void {
    if (this.#options.logLevel === "debug") this.#tell(changeSteps(this.#pending, this.#options.root));
  }

  /** `before`: as it was when the reload began; undefined at a start. */
  #tellApplied(
    { purged, loaded }: Pick<AppliedPlans, "purged" | "loaded">,
    { why }: Pick<ReloadReport, "why">,
    before: ModuleGraph | undefined,
  ): void {
    if (this.#options.logLevel !== "debug") return;
    const observedBefore = (file: string) => before?.get(file)?.observed;
    this.#tell(appliedSteps({ purged, loaded, why, observedBefore }, this.#options.root));
  }

  #tell(messages: readonly string[]): void {
    for (const message of messages) this.emit("log", { level: "debug", message });
  }

  async #becomeFailed(
    error: SerializedError,
    started: number,
    preparation: Preparation | undefined,
  ): Promise<FailureReport> {
    this.#app?.epoch.announceFailure(error);
    this.#move({ type: "failed", error, threadAlive: this.#app?.epoch.alive === true });
    const importedBy = importersOf(error, preparation?.graph, this.#options.entry);
    this.#lastFailure = { ...this.#report("failed", started), kind: "failed", error, importedBy };
    const report = this.#lastFailure;
    if (this.#address.exposes && this.#front.addresses().length === 0 && !this.#closing) await this.#openFallback();
    // Requests that wait for a server get the page instead.
    this.#front.recheck();
    this.#startSettled.settle();
    return report;
  }

  #report(
    kind: ReloadReport["kind"],
    started: number,
    applied?: { readonly plans: AppliedPlans; readonly readers: ReadonlyMap<string, string> },
  ): ReloadReport {
    const evaluated = this.#app?.size ?? 0;
    const loaded = applied?.plans.loaded.map(({ file }) => file) ?? [];
    return {
      kind,
      generation: this.#generation,
      epoch: this.#app?.epoch.number ?? this.#epochs.last,
      changed: this.#pending.all(),
      ...(this.#pending.invalidated.size > 0 && { invalidated: [...this.#pending.invalidated.keys()] }),
      purged: applied?.plans.purged ?? [],
      loaded,
      why: applied ? Object.fromEntries(loaded.map((file) => [file, whyLoaded(file, applied)])) : {},
      kept: kind === "restarted" ? 0 : evaluated - loaded.length,
      durationMs: performance.now() - started,
    };
  }

  #assertOpen(): void {
    if (this.#closing) throw new UnreloaderError("ERR_UNRELOADER_CLOSED", "the supervisor is closed: create a new one");
  }

  /** Nothing of the app has ever listened: the failure needs a port to be seen at. */
  async #openFallback(): Promise<void> {
    try {
      const address = await this.#front.openUnserved(this.#address.fallback);
      this.#listening.opened({ kind: "http", address });
    } catch (error) {
      this.emit("log", {
        level: "warn",
        message: `the failure cannot be shown in a browser: ${(error as Error).message}`,
      });
    }
    this.#listening.loaded(0);
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#move({ type: "close" });
    this.#startSettled.settle();
    for (const timer of [this.#eager, this.#afterStart]) clearTimeout(timer);
    if (this.#options.inspect) releaseStoppedThreads();
    await this.#leaks.close();
    await this.#front.shutDown(deadlineMs);
    await this.#embedding.close();
    await this.#epochs.close(deadlineMs);
    await this.#cycle;
    await this.#registry.close();
    await this.#preparer.close();
    await this.#socketFolder.remove();
    this.#move({ type: "closed" });
  }
}

/** The chain that leads from a file to the change; a module that was loaded for a file it had read leads on to that file. */
function whyLoaded(
  file: string,
  { plans, readers }: { plans: AppliedPlans; readers: ReadonlyMap<string, string> },
): string[] {
  const chain = plans.chainOf(file);
  const read = readers.get(chain.at(-1) ?? file);
  return read === undefined || chain.includes(read) ? [...chain] : [...chain, read];
}
