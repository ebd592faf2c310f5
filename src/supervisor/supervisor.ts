/**
 * What a host has of one app: passes on what is asked of the parts that keep it at its newest code, and tells the host what
 * they report. The reload cycle does the work on the app, and owns its state; this has none but that it is being closed.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { CLOSE_MS } from "../common/deadlines.js";
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
import type { PublicAddress } from "../common/protocol/messages.js";
import type { TerminalSignal } from "../common/protocol/orders.js";
import { isEndSignal } from "../common/signals.js";
import { visibleText } from "../common/visible-text.js";
import type { LeakReport } from "../leaks/leak-report.js";
import type { ResolvedOptions } from "../options/options.js";
import type { PublicSupervisor } from "../public-supervisor.js";
import type { Inspection } from "../reports/inspection.js";
import type { EmittedEvents, ReloadReport, StaleReferencesReport, SupervisorEvents } from "../reports/report.js";
import { counted, NO_TALLY } from "../reports/tally.js";
import type { AppStreams } from "../thread/app-streams.js";
import { exitCodeOf } from "../thread/app-thread.js";
import { resumeStoppedThreads } from "../thread/debugger.js";
import type { SpareThread } from "../thread/spare-thread.js";
import { assemble, type SupervisorParts } from "./assemble.js";
import type { Guard, Predecessor } from "./guard.js";
import { callListeners } from "./listeners.js";

/** Of the time that an end may take: what is left for dispose hooks when requests in flight do not end. */
const DISPOSE_SHARE = 0.2;
/** What is under way when the supervisor is told to end may come to its end for this part of the time. */
const GRACE_SHARE = 0.5;

/** What the process does for an app that is all it is there for. */
export interface CommandLine {
  /** The standard streams, which are the app's. */
  readonly streams: AppStreams;
  /** Is given what removes the files that would stay behind when the process ends at once. */
  atExit(removeFiles: () => void): void;
  /** The process shall listen for these signals, in the app's place; `deliver` is told of them. */
  listenFor(signals: ReadonlySet<NodeJS.Signals>): void;
  /** Undefined: nobody would start another process. */
  readonly guard: Guard | undefined;
  /** The app has ended, with this code, and the supervisor closes. */
  over(code: number): void;
  /** The process that has forked this one talks with the app, or has left it: the end of the app is the end of all. */
  endsWithApp(): boolean;
}

export class Supervisor extends EventEmitter<EmittedEvents> implements PublicSupervisor {
  readonly #options: ResolvedOptions;
  readonly #parts: SupervisorParts;
  #closing: Promise<void> | undefined;
  #tally = NO_TALLY;

  /**
   * `spare`: a thread that was started before anything else, to gain time. `commandLine`: the process is there for the app
   * only.
   */
  constructor(options: ResolvedOptions, spare?: SpareThread, commandLine?: CommandLine) {
    super();
    this.#options = options;
    const isClosing = (): boolean => this.#closing !== undefined;
    this.#parts = assemble({
      options,
      spare,
      streams: commandLine?.streams,
      atExit: commandLine?.atExit,
      guard: commandLine?.guard,
      endsByItself: commandLine !== undefined || options.exit,
      signalsChanged: (signals) => commandLine?.listenFor(signals),
      over: (code) => {
        void this.close();
        commandLine?.over(code);
      },
      endsWithApp: () => commandLine?.endsWithApp() ?? false,
      isClosing,
      emit: (event, report) => this.#emit(event, report),
    });
  }

  /** No other supervisor on this machine has it while this one runs. */
  get id(): string {
    return this.#parts.view.now().id;
  }

  start(): Promise<ReloadReport> {
    return this.#parts.cycle.freshenAndTell();
  }

  async listen(port?: number, host?: string): Promise<PublicAddress | undefined> {
    this.#assertOpen();
    await this.#parts.address.choose(port, host, this.#parts.cycle.app !== undefined);
    if (this.#parts.cycle.app === undefined) await this.start();
    // A port that was open before the app is told now, of a failed app too.
    this.#parts.listening.loaded(this.#parts.cycle.app?.size ?? 0);
    await this.#parts.startSettled.wait();
    return this.#parts.front.addresses()[0];
  }

  /** As `listen`, in the place of a process that the system has ended: what comes to its ports waits for the app. */
  async startAfter(before: Predecessor): Promise<void> {
    // The end is shown where the app has listened, if it has.
    this.#parts.address.exposes = before.ports.length === 0;
    await this.#parts.cycle.startAfter(before);
    this.#parts.address.exposes = true;
    this.#parts.listening.loaded(this.#parts.cycle.app?.size ?? 0);
    await this.#parts.startSettled.wait();
  }

  readonly handler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void =>
    this.#parts.embedding.handle(request, response, next);

  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    this.#parts.embedding.upgrade(request, socket, head);

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    this.#assertOpen();
    return this.#parts.embedding.fetch(input, init);
  }

  async call<Result = unknown>(name: string, ...args: readonly unknown[]): Promise<Result> {
    this.#assertOpen();
    return (await this.#parts.embedding.call(name, args)) as Result;
  }

  async require(paths: Patterns, options: RequireOptions = {}): Promise<ReloadReport> {
    this.#assertOpen();
    checkRequireOptions("require", options);
    this.#parts.monitoring.add(existingPatterns("require", paths, this.#options.root), options);
    if (this.#parts.cycle.run === undefined && this.#parts.cycle.phase === "booting")
      return this.#parts.cycle.unchanged();
    await this.#parts.cycle.run;
    return this.#parts.cycle.freshenAndTell();
  }

  recordDependency(dependency: Patterns, ...files: Patterns[]): void {
    this.#assertOpen();
    const { root } = this.#options;
    this.#parts.monitoring.recordDependency(placedDependency("recordDependency", [dependency, ...files], root));
  }

  recordSplitClass(main: string | URL, ...parts: Patterns[]): void {
    this.#assertOpen();
    const { root } = this.#options;
    const call = "recordSplitClass";
    this.#parts.monitoring.recordSplitClass({
      main: placedPath(call, main, root),
      parts: placedPatterns(call, parts, root),
    });
  }

  async reload(): Promise<ReloadReport> {
    this.#assertOpen();
    return this.#parts.cycle.reload();
  }

  async restart(): Promise<ReloadReport> {
    this.#assertOpen();
    return this.#parts.cycle.restart();
  }

  clear(): void {
    this.#assertOpen();
    this.#parts.cycle.clear();
  }

  async checkStaleReferences(): Promise<readonly StaleReferencesReport[]> {
    this.#assertOpen();
    return this.#parts.leaks.check();
  }

  async explainLeak(): Promise<LeakReport[]> {
    this.#assertOpen();
    return this.#parts.leaks.explain();
  }

  signal(signal: NodeJS.Signals): void {
    this.#parts.cycle.app?.epoch.signal(signal, isEndSignal(signal));
  }

  /** Whether the app listens for a signal, as far as main knows. */
  listensFor(signal: NodeJS.Signals): boolean {
    return this.#parts.signals.listeners(signal).length > 0;
  }

  /** Has the app's listeners called, without an end. False: it has none. */
  deliver(signal: NodeJS.Signals): Promise<boolean> {
    return this.#parts.signals.deliver(signal);
  }

  /** Ends by a signal, as the app wants it if it listens for it. Resolves with the code to end with; `deadlineMs` in all. */
  async end(signal: NodeJS.Signals, deadlineMs: number): Promise<number> {
    const listeners = this.#parts.signals.listeners(signal);
    const current = this.#parts.cycle.app?.epoch;
    // One that is starting listens, too.
    const epoch = current && listeners.includes(current) ? current : listeners.at(-1);
    const heard = epoch?.endBySignal(signal, (1 - DISPOSE_SHARE) * deadlineMs);
    this.#closing ??= this.#close(deadlineMs, heard);
    await this.#closing;
    const over = epoch?.over;
    if (over === undefined) return 0;
    return over.type === "stopped" ? (over.code ?? 0) : exitCodeOf(over);
  }

  /** The terminal has another size, or the app goes on after Ctrl-Z. */
  terminalSignal(signal: TerminalSignal): void {
    this.#parts.epochs.terminalSignal(signal);
  }

  /** Whether the app is in the middle of writing to a pipe: a line in between would be torn. */
  isWriting(descriptor: 1 | 2): boolean {
    return this.#parts.epochs.isWriting(descriptor);
  }

  /** A signal that is the app's when it listens for it, and else asks for a fresh worker: SIGUSR2. */
  async signalOrRestart(signal: NodeJS.Signals): Promise<void> {
    // One that is starting listens, too.
    const offers = this.#parts.signals.listeners(signal).map((epoch) => epoch.offerSignal(signal));
    const isHeard = (await Promise.all(offers)).includes(true);
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
    const { app } = this.#parts.cycle;
    const nodes = app ? [...app.graph.nodes()] : [];
    return {
      phase: this.#parts.cycle.phase,
      generation: this.#parts.cycle.generation,
      epoch: app?.epoch.number ?? 0,
      modules: nodes.filter((node) => node.evaluated).map((node) => node.file),
      edges: nodes.map((node) => ({
        file: node.file,
        imports: [...node.imports],
        observed: [...node.observed],
        dynamic: [...node.dynamic],
      })),
      inFlight: this.#parts.cycle.inFlight,
      draining: this.#parts.epochs.draining,
      classes: Object.fromEntries(app?.classes ?? []),
      ...this.#parts.monitoring.inspect(app?.graph, app?.asks),
      staleReferences: this.#parts.leaks.references,
      standby: this.#parts.epochs.standby,
      tally: this.#tally,
      addresses: this.#parts.front.addresses(),
    };
  }

  /** Runs every listener, whatever the others do; what one throws is told, and changes nothing else. */
  #emit<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void {
    if (event === "reload") this.#tally = counted(this.#tally, report as ReloadReport);
    callListeners(this, event, report, (message) => {
      // The listener for lines may be the one that throws.
      if (event === "log") process.stderr.write(`unreloader: ${visibleText(message)}\n`);
      else this.#emit("log", { level: "error", message });
    });
  }

  #assertOpen(): void {
    if (this.#closing) throw new UnreloaderError("ERR_UNRELOADER_CLOSED", "the supervisor is closed: create a new one");
  }

  /**
   * All within `deadlineMs`: each step gets what the ones before have left. `heard`: the app does something about it, and
   * goes on accepting until it has done so.
   */
  async #close(deadlineMs: number, heard?: Promise<void>): Promise<void> {
    const end = performance.now() + deadlineMs;
    const left = (): number => Math.max(0, end - performance.now());
    this.#parts.progress.begin();
    if (this.#options.inspect) resumeStoppedThreads();
    if (heard === undefined) this.#parts.front.stopAccepting();
    await this.#parts.cycle.stop(GRACE_SHARE * deadlineMs, heard !== undefined);
    await heard;
    this.#parts.front.stopAccepting();
    this.#parts.cycle.close();
    this.#parts.endpoints.close();
    this.#parts.startSettled.settle();
    await this.#parts.front.shutDown(Math.max(0, left() - DISPOSE_SHARE * deadlineMs));
    await Promise.all([
      this.#parts.control.close(),
      this.#parts.embedding.close(),
      this.#parts.epochs.close(left(), left()),
    ]);
    this.#parts.progress.end();
    this.#parts.watch.close();
    this.#parts.packageFiles.close();
    await this.#parts.registry.close();
    await this.#parts.preparer.close();
    await this.#parts.socketFolder.remove();
    this.#parts.cycle.closed();
  }
}
