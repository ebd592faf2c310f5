/**
 * What a host has of one app: puts the parts together that keep it at its newest code, passes on what is asked of them, and
 * tells the host what they report. The reload cycle does the work on the app, and owns its state; this has none but that it
 * is being closed.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import type { Duplex } from "node:stream";
import { CLOSE_MS, IN_PLACE_DRAIN_MS } from "../common/deadlines.js";
import { UnreloaderError } from "../common/errors.js";
import {
  checkRequireOptions,
  existingPatterns,
  type Patterns,
  placedDependency,
  placedPath,
  placedPatterns,
  type RequireOptions,
} from "../common/patterns.js";
import { createConnectionTable } from "../common/protocol/connection-table.js";
import type { PublicAddress } from "../common/protocol/messages.js";
import { Control } from "../control/control.js";
import { FileRegistry } from "../files/registry.js";
import { Front } from "../front/front.js";
import type { Verdict } from "../front/turn.js";
import type { LeakReport } from "../leaks/leak-report.js";
import { Leaks } from "../leaks/leaks.js";
import { ConfigChanges } from "../options/config-changes.js";
import type { ResolvedOptions } from "../options/options.js";
import type { PublicSupervisor } from "../public-supervisor.js";
import type { Inspection } from "../reports/inspection.js";
import { ListenReports } from "../reports/listen-reports.js";
import { type Described, Progress } from "../reports/progress.js";
import type { EmittedEvents, ReloadReport, StaleReferencesReport, SupervisorEvents } from "../reports/report.js";
import { releaseStoppedThreads } from "../thread/debugger.js";
import { cacheFolder } from "../thread/environment.js";
import { SocketFolder } from "../thread/socket-folder.js";
import type { SpareThread } from "../thread/spare-thread.js";
import { ThreadWatch } from "../thread/thread-watch.js";
import { Embedding } from "./embedding.js";
import { Epochs } from "./epochs.js";
import { InPlaceReload } from "./in-place-reload.js";
import { callListeners } from "./listeners.js";
import { Monitoring } from "./monitoring.js";
import { Preparer } from "./preparer.js";
import { PublicAddressChoice } from "./public-address.js";
import { ReloadCycle } from "./reload-cycle.js";
import { StartSettled } from "./start-settled.js";
import { SubclassNames } from "./subclass-names.js";

/** Of the time that an end may take: what is left for dispose hooks when requests in flight do not end. */
const DISPOSE_SHARE = 0.2;
/** What is under way when the supervisor is told to end may come to its end for this part of the time. */
const GRACE_SHARE = 0.5;

export class Supervisor extends EventEmitter<EmittedEvents> implements PublicSupervisor {
  readonly #options: ResolvedOptions;
  readonly #table = createConnectionTable();
  readonly #socketFolder: SocketFolder;
  readonly #front: Front;
  readonly #registry: FileRegistry;
  readonly #monitoring: Monitoring;
  readonly #preparer: Preparer;
  readonly #epochs: Epochs;
  readonly #leaks: Leaks;
  readonly #control: Control;
  readonly #listening: ListenReports;
  readonly #embedding: Embedding;
  readonly #address: PublicAddressChoice;
  readonly #cycle: ReloadCycle;
  readonly #startSettled = new StartSettled();
  readonly #watch: ThreadWatch;
  readonly #progress: Progress;
  #closing: Promise<void> | undefined;

  /**
   * `spare`: a thread that was started before anything else, to gain time. `atExit` is given what removes the files that
   * would stay behind when the process ends at once.
   */
  constructor(options: ResolvedOptions, spare?: SpareThread, atExit?: (removeFiles: () => void) => void) {
    super();
    this.#options = options;
    this.#socketFolder = new SocketFolder();
    this.#front = new Front({
      gate: {
        check: (isAgain) => this.#admit(isAgain),
        waitingFor: () => this.#progress.waitingFor ?? this.#cycle.waitingFor(),
      },
      table: this.#table,
      heldDeadline: options.heldDeadline,
      heldBytes: options.heldBytes,
      warn: (message) => this.#emit("log", { level: "warn", message }),
      unreachable: (server) => {
        this.#epochs.listenAgain(server);
        void this.#control.ensure();
      },
      ownEpoch: (address, port) => this.#epochs.ownEpoch(address, port),
    });
    this.#listening = new ListenReports((report) => this.#emit("listening", report));
    this.#address = new PublicAddressChoice(options, this.#front, this.#listening);
    this.#embedding = new Embedding({
      front: this.#front,
      admit: () => this.#admit(),
      epoch: () => this.#cycle.app?.epoch,
    });
    this.#registry = new FileRegistry({
      root: options.root,
      mode: options.watch,
      ignore: options.ignore,
      probeFolder: cacheFolder(options.root),
      ...(options.cooldown !== "off" && { cooldownMs: options.cooldown }),
      onStale: () => this.#cycle.noticed(),
      concerns: (file) => this.#concerns(file),
      onWarning: (message: string) => this.#emit("log", { level: "warn", message }),
    });
    this.#monitoring = new Monitoring({
      ...options,
      registry: this.#registry,
      failed: (what, error) => this.#emit("log", { level: "warn", message: `${what} failed: ${error}` }),
    });
    const roots = () => this.#monitoring.roots;
    this.#preparer = new Preparer(options, this.#registry, roots);
    this.#leaks = new Leaks({
      folder: this.#socketFolder.path,
      preparer: this.#preparer,
      app: () => this.#cycle.app,
      cycle: () => this.#cycle.run,
      onNews: (report) => this.#cycle.foundStale(report),
    });
    this.#control = new Control({
      root: options.root,
      entry: options.entry,
      folder: this.#socketFolder.path,
      commands: { "explain-leak": () => this.#leaks.explain() },
      onLog: (message) => this.#emit("log", { level: "debug", message }),
    });
    const inPlace = new InPlaceReload({
      scope: options.scope,
      strictPurge: options.strictPurge,
      monitoring: this.#monitoring,
      preparer: this.#preparer,
      registry: this.#registry,
      drainMs: IN_PLACE_DRAIN_MS,
    });
    atExit?.(() => {
      this.#control.withdraw();
      this.#socketFolder.removeNow();
    });
    this.#watch = new ThreadWatch({
      root: options.root,
      cwd: process.cwd(),
      limitMs: options.watchdog,
      versions: (epoch, file) => this.#epochs.versions(epoch, file),
      importersOf: (epoch, file) => this.#epochs.importersOf(epoch, file),
      sourceMap: (compiled) => this.#preparer.sourceMap(compiled),
      warn: (message) => this.#emit("log", { level: "warn", message }),
      blocked: (epoch, page) => this.#front.blocked(epoch, page),
    });
    this.#progress = new Progress({
      describe: async () => (await this.#watch.describe()) ?? this.#requestsAtTheEnd(),
      tell: (message) => this.#emit("log", { level: "info", message }),
    });
    const subclasses = new SubclassNames(options.subclasses);
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
      subclasses,
      busy: () => this.#cycle.run !== undefined || this.#cycle.inFlight > 0,
      watch: this.#watch,
      onLog: (level, message) => this.#emit("log", { level, message }),
      onInvalidated: (epoch, file, again) => this.#cycle.invalidate(epoch, file, again),
      onStale: (epoch, references, news) => this.#leaks.found(epoch, references, news),
      onStartSettled: () => this.#startSettled.settle(),
      onListened: () => this.#cycle.closeUnadopted(),
      onBegunWorkDone: () => this.#cycle.closeUnadopted(),
      onEnd: (epoch, end) => this.#cycle.ended(epoch, end),
    });
    this.#cycle = new ReloadCycle({
      options,
      table: this.#table,
      front: this.#front,
      registry: this.#registry,
      monitoring: this.#monitoring,
      preparer: this.#preparer,
      epochs: this.#epochs,
      inPlace,
      leaks: this.#leaks,
      control: this.#control,
      listening: this.#listening,
      address: this.#address,
      subclasses,
      configChanges: new ConfigChanges(options.configFiles),
      startSettled: this.#startSettled,
      silentMs: (epoch) => this.#watch.silentMs(epoch.number),
      progress: this.#progress,
      emit: (event, report) => this.#emit(event, report),
    });
  }

  start(): Promise<ReloadReport> {
    return this.#cycle.freshenAndTell();
  }

  async listen(port?: number, host?: string): Promise<PublicAddress | undefined> {
    this.#assertOpen();
    await this.#address.choose(port, host, this.#cycle.app !== undefined);
    if (this.#cycle.app === undefined) await this.start();
    // A port that was open before the app is told now, of a failed app too.
    this.#listening.loaded(this.#cycle.app?.size ?? 0);
    await this.#startSettled.wait();
    return this.#front.addresses()[0];
  }

  readonly handler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void =>
    this.#embedding.handle(request, response, next);

  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    this.#embedding.upgrade(request, socket, head);

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    this.#assertOpen();
    return this.#embedding.fetch(input, init);
  }

  async call<Result = unknown>(name: string, ...args: readonly unknown[]): Promise<Result> {
    this.#assertOpen();
    return (await this.#embedding.call(name, args)) as Result;
  }

  async require(paths: Patterns, options: RequireOptions = {}): Promise<ReloadReport> {
    this.#assertOpen();
    checkRequireOptions("require", options);
    this.#monitoring.add(existingPatterns("require", paths, this.#options.root), options);
    if (this.#cycle.run === undefined && this.#cycle.phase === "booting") return this.#cycle.unchanged();
    await this.#cycle.run;
    return this.#cycle.freshenAndTell();
  }

  recordDependency(dependency: Patterns, ...files: Patterns[]): void {
    this.#assertOpen();
    const { root } = this.#options;
    this.#monitoring.recordDependency(placedDependency("recordDependency", [dependency, ...files], root));
  }

  recordSplitClass(main: string | URL, ...parts: Patterns[]): void {
    this.#assertOpen();
    const { root } = this.#options;
    const call = "recordSplitClass";
    this.#monitoring.recordSplitClass({
      main: placedPath(call, main, root),
      parts: placedPatterns(call, parts, root),
    });
  }

  async reload(): Promise<ReloadReport> {
    this.#assertOpen();
    return this.#cycle.reload();
  }

  async restart(): Promise<ReloadReport> {
    this.#assertOpen();
    return this.#cycle.restart();
  }

  clear(): void {
    this.#assertOpen();
    this.#cycle.clear();
  }

  async checkStaleReferences(): Promise<readonly StaleReferencesReport[]> {
    this.#assertOpen();
    return this.#leaks.check();
  }

  async explainLeak(): Promise<LeakReport[]> {
    this.#assertOpen();
    return this.#leaks.explain();
  }

  signal(signal: NodeJS.Signals): void {
    this.#cycle.app?.epoch.signal(signal);
  }

  /** A signal that is the app's when it listens for it, and else asks for a fresh worker: SIGUSR2. */
  async signalOrRestart(signal: NodeJS.Signals): Promise<void> {
    const isHeard = await this.#cycle.app?.epoch.offerSignal(signal);
    if (!isHeard && this.#closing === undefined) await this.restart();
  }

  close(deadlineMs = CLOSE_MS): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  inspect(): Inspection {
    const { app } = this.#cycle;
    const nodes = app ? [...app.graph.nodes()] : [];
    return {
      phase: this.#cycle.phase,
      generation: this.#cycle.generation,
      epoch: app?.epoch.number ?? 0,
      modules: nodes.filter((node) => node.evaluated).map((node) => node.file),
      edges: nodes.map((node) => ({
        file: node.file,
        imports: [...node.imports],
        observed: [...node.observed],
        dynamic: [...node.dynamic],
      })),
      inFlight: this.#cycle.inFlight,
      draining: this.#epochs.draining,
      classes: Object.fromEntries(app?.classes ?? []),
      ...this.#monitoring.inspect(app?.graph, app?.asks),
      staleReferences: this.#leaks.references,
      standby: this.#epochs.standby,
      addresses: this.#front.addresses(),
    };
  }

  /** Runs every listener, whatever the others do; what one throws is told, and changes nothing else. */
  #emit<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void {
    callListeners(this, event, report, (message) => {
      // Whoever listens for lines may be the one that throws.
      if (event === "log") process.stderr.write(`unreloader: ${message}\n`);
      else this.#emit("log", { level: "error", message });
    });
  }

  /** Whether a file that has come may have to do with the app. */
  #concerns(file: string): boolean {
    if (this.#cycle.phase === "failed" || this.#monitoring.concerns(file)) return true;
    return this.#preparer.concerns(file) || this.#cycle.app?.lists(path.dirname(file)) === true;
  }

  /** The app has not been told to end yet: what it has begun is waited for here. */
  #requestsAtTheEnd(): Described | undefined {
    const count = this.#front.inFlight();
    if (this.#closing === undefined || count === 0) return undefined;
    const what = `${count} ${count === 1 ? "request" : "requests"} in flight`;
    return { line: `waiting for ${what}`, waitedFor: what, isTold: false };
  }

  #assertOpen(): void {
    if (this.#closing) throw new UnreloaderError("ERR_UNRELOADER_CLOSED", "the supervisor is closed: create a new one");
  }

  /** What a request that begins now must do. */
  #admit(isAgain?: boolean): Verdict | Promise<Verdict> {
    return this.#watch.verdict(this.#cycle.admit(isAgain), this.#cycle.app?.epoch.number);
  }

  /** All within `deadlineMs`: each step gets what the ones before have left. */
  async #close(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    const left = (): number => Math.max(0, end - performance.now());
    this.#progress.begin();
    if (this.#options.inspect) releaseStoppedThreads();
    this.#front.stopAccepting();
    await this.#cycle.close(GRACE_SHARE * deadlineMs);
    this.#startSettled.settle();
    await this.#front.shutDown(Math.max(0, left() - DISPOSE_SHARE * deadlineMs));
    await Promise.all([this.#control.close(), this.#embedding.close(), this.#epochs.close(left(), left())]);
    this.#progress.end();
    this.#watch.close();
    await this.#registry.close();
    await this.#preparer.close();
    await this.#socketFolder.remove();
    this.#cycle.closed();
  }
}
