/**
 * The conversation with one app thread: orders that expect an answer become promises, everything else is passed on.
 * When the thread ends, what is still awaited settles with that end; nothing here decides what to do about it.
 */
import type { PreparedModule, ResolveKind } from "../compile/compiled-module.js";
import type { Address } from "../options.js";
import type {
  BootOrder,
  LoadedModule,
  PlanOrder,
  PublicAddress,
  StaleReference,
  SupervisorOrder,
  WorkerReport,
} from "../protocol/messages.js";
import type { SerializedError } from "../protocol/serialized-error.js";
import { ThreadBoard } from "../protocol/thread-board.js";
import type { ThreadSource } from "../thread/replaceable-thread.js";
import { WaitQuestions } from "../thread/wait-questions.js";
import { type AppThread, errorOfEnd, startAppThread, type ThreadEnd } from "./app-thread.js";
import { ThreadCalls } from "./calls.js";

export type ListenReport = Extract<WorkerReport, { type: "listenRequested" }>;

export type BootOutcome =
  | {
      readonly type: "booted";
      readonly loaded: readonly LoadedModule[];
      readonly serves: "listening" | "exported" | "pending";
    }
  | { readonly type: "failed"; readonly loaded: readonly LoadedModule[]; readonly error: SerializedError }
  | { readonly type: "ended"; readonly end: ThreadEnd };

export type ApplyOutcome =
  | {
      readonly type: "applied";
      readonly loaded: readonly LoadedModule[];
      readonly purged: readonly { file: string; classes: string[] }[];
      /** What purged files have left in packages. */
      readonly stuck: readonly { readonly file: string; readonly what: string }[];
    }
  /** Nothing was done, since the graph was not up to date; now it is. */
  | { readonly type: "outdated" }
  /** The worker is back at the versions it had. `damaged`: see `planFailed`. */
  | { readonly type: "failed"; readonly error: SerializedError; readonly damaged: readonly string[] }
  | { readonly type: "ended"; readonly end: ThreadEnd };

type StaleReport = Extract<WorkerReport, { type: "staleReferencesChecked" }>;
export type SnapshotReport = Extract<WorkerReport, { type: "heapSnapshotWritten" }>;

/** Reports that come at any time. */
export interface EpochListener {
  listenRequested(epoch: AppEpoch, report: ListenReport): void;
  serverClosed(epoch: AppEpoch, listenId: number): void;
  serverReleased(epoch: AppEpoch, listenId: number): void;
  listensAgain(epoch: AppEpoch, listenId: number): void;
  modulesDiscovered(epoch: AppEpoch, modules: readonly PreparedModule[]): void;
  specifierLookedUp(specifier: string, importer: string, kind: ResolveKind): void;
  fileWritten(epoch: AppEpoch, file: string): void;
  invalidated(epoch: AppEpoch, file: string, again: boolean): void;
  modulesLoaded(epoch: AppEpoch, loaded: readonly LoadedModule[]): void;
  /** `references`: all that is stale now; `news`: what is to be told of them. */
  staleReferences(epoch: AppEpoch, references: readonly StaleReference[], news: readonly StaleReference[]): void;
  subclassesUnknown(names: readonly string[], seen: readonly string[]): void;
  startSettled(epoch: AppEpoch): void;
  /** What `idleGeneration` says has changed. */
  begunWorkDone(epoch: AppEpoch): void;
  logged(level: "debug" | "info" | "warn" | "error", message: string): void;
  ended(epoch: AppEpoch, end: ThreadEnd): void;
}

export class AppEpoch {
  readonly number: number;
  readonly calls: ThreadCalls;
  /** What the thread shows of itself without sending anything: whether it beats, and what the app wrote last. */
  readonly board: ThreadBoard;
  /** What the thread waits for. */
  readonly waits = new WaitQuestions((requestId) => {
    if (this.#alive) this.#thread.send({ type: "tellWaits", requestId });
  });
  readonly #thread: AppThread;
  readonly #listener: EpochListener;
  #onBoot: ((outcome: BootOutcome) => void) | undefined;
  /** Plan id -> who waits for it; born with the order, dies with the answer or with the thread. */
  readonly #plans = new Map<number, (outcome: ApplyOutcome) => void>();
  /** Request id -> who waits for it; undefined as the answer when the thread ends. */
  readonly #requests = new Map<number, (answer: StaleReport | SnapshotReport | undefined) => void>();
  #lastRequestId = 0;
  #lastPlanId = 0;
  #reportsSeen = 0;
  #idleGeneration: number | undefined;
  #alive = true;

  constructor(order: BootOrder, source: ThreadSource, listener: EpochListener) {
    this.number = order.epoch;
    this.board = new ThreadBoard(order.board);
    this.#listener = listener;
    this.#thread = startAppThread({ order, source, onReport: (report) => this.#receive(report) });
    this.calls = new ThreadCalls({
      call: (order) => this.#thread.send(order),
      abortCall: (callId, signal, reason) => {
        if (this.#alive) this.#thread.send({ type: "abortCall", callId, signal, reason });
      },
    });
    void this.#thread.ended.then((end) => this.#end(end));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The newest generation whose evaluation has left nothing to go on that may still listen; undefined: none is known. */
  get idleGeneration(): number | undefined {
    return this.#idleGeneration;
  }

  /**
   * Evaluates the app for the first time in this thread. `modules`: code of all that is known to be needed; `portsWait`:
   * see the order.
   */
  boot(modules: readonly PreparedModule[], portsWait: boolean): Promise<BootOutcome> {
    return new Promise((resolve) => {
      this.#onBoot = resolve;
      if (!this.#alive) return;
      this.#thread.send({ type: "addModules", modules });
      this.#thread.send({ type: "evaluate", portsWait });
    });
  }

  apply(plan: PlanOrder): Promise<ApplyOutcome> {
    return new Promise((resolve) => {
      const planId = ++this.#lastPlanId;
      this.#plans.set(planId, resolve);
      this.#thread.send({ type: "applyPlan", planId, reportsSeen: this.#reportsSeen, ...plan });
    });
  }

  /** Code for files that are not evaluated now, but may be asked for later. */
  addModules(modules: readonly PreparedModule[]): void {
    if (modules.length > 0) this.#thread.send({ type: "addModules", modules });
  }

  /** Lets a debugger attach to the thread. Two threads cannot have the same port: the one before must have ended. */
  openInspector({ host, port }: Address): void {
    if (this.#alive) this.#thread.send({ type: "openInspector", host, port });
  }

  settleListen(listenId: number, outcome: { address: PublicAddress } | { error: SerializedError }): void {
    if (this.#alive) this.#thread.send({ type: "settleListen", listenId, ...outcome });
  }

  /** The socket of a server is gone: it shall listen again on the same path. */
  listenAgain(listenId: number): void {
    if (this.#alive) this.#thread.send({ type: "listenAgain", listenId });
  }

  releaseRequests(): void {
    if (this.#alive) this.#thread.send({ type: "releaseRequests" });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#alive) this.#thread.send({ type: "signal", signal });
  }

  /** The newest code is broken: for those of the app who want to know. */
  announceFailure(error: SerializedError): void {
    if (this.#alive) this.#thread.send({ type: "announceFailure", error });
  }

  /** Has the thread look for stale references now; they are reported as any others. Undefined: it has ended. */
  async checkStaleReferences(): Promise<readonly StaleReference[] | undefined> {
    const answer = await this.#ask((requestId) => ({ type: "checkStaleReferences", requestId }));
    return answer?.type === "staleReferencesChecked" ? answer.references : undefined;
  }

  /** The same, with a heap snapshot when there are any. */
  async writeHeapSnapshot(file: string): Promise<SnapshotReport | undefined> {
    const answer = await this.#ask((requestId) => ({ type: "writeHeapSnapshot", requestId, file }));
    return answer?.type === "heapSnapshotWritten" ? answer : undefined;
  }

  /** Ends the thread: the app's requests get `drainMs`, then it is ended by force. Idempotent. */
  stop(drainMs: number, restarts: boolean): Promise<void> {
    return this.#thread.stop(drainMs, restarts);
  }

  #receive(report: WorkerReport): void {
    switch (report.type) {
      case "evaluated":
        this.#boot({ type: "booted", loaded: report.loaded, serves: report.serves });
        break;
      case "startSettled":
        this.#listener.startSettled(this);
        break;
      case "begunWorkDone":
        this.#idleGeneration = report.generation;
        this.#listener.begunWorkDone(this);
        break;
      case "evaluateFailed":
        this.#boot({ type: "failed", loaded: report.loaded, error: report.error });
        break;
      case "planApplied":
        this.#settlePlan(report.planId, {
          type: "applied",
          loaded: report.loaded,
          purged: report.purged,
          stuck: report.stuck,
        });
        break;
      case "planOutdated":
        this.#settlePlan(report.planId, { type: "outdated" });
        break;
      case "planFailed":
        this.#settlePlan(report.planId, { type: "failed", error: report.error, damaged: report.damaged });
        break;
      case "listenRequested":
        this.#listener.listenRequested(this, report);
        break;
      case "serverClosed":
        this.#listener.serverClosed(this, report.listenId);
        break;
      case "serverReleased":
        this.#listener.serverReleased(this, report.listenId);
        break;
      case "listensAgain":
        this.#listener.listensAgain(this, report.listenId);
        break;
      case "modulesDiscovered":
        this.#reportsSeen++;
        this.#listener.modulesDiscovered(this, report.modules);
        break;
      case "specifierLookedUp":
        this.#listener.specifierLookedUp(report.specifier, report.importer, report.kind);
        break;
      case "modulesLoaded":
        this.#reportsSeen++;
        this.#listener.modulesLoaded(this, report.loaded);
        break;
      case "fileWritten":
        this.#listener.fileWritten(this, report.file);
        break;
      case "callReturned":
      case "callFailed":
        this.calls.receive(report);
        break;
      case "invalidated":
        this.#listener.invalidated(this, report.file, report.again);
        break;
      case "waitsTold":
        this.waits.receive(report);
        break;
      case "staleReferencesChecked":
        this.#listener.staleReferences(this, report.references, report.news);
        if (report.requestId !== undefined) this.#answer(report.requestId, report);
        break;
      case "heapSnapshotWritten":
        this.#answer(report.requestId, report);
        break;
      case "subclassesUnknown":
        this.#listener.subclassesUnknown(report.names, report.seen);
        break;
      case "logged":
        this.#listener.logged(report.level, report.message);
        break;
      // How the thread ends is told by the thread itself.
      case "started":
      case "loadedAhead":
      case "refused":
      case "disposing":
      case "crashed":
      case "exitRequested":
        break;
      default:
        report satisfies never;
    }
  }

  #boot(outcome: BootOutcome): void {
    this.#onBoot?.(outcome);
    this.#onBoot = undefined;
  }

  #settlePlan(planId: number, outcome: ApplyOutcome): void {
    this.#plans.get(planId)?.(outcome);
    this.#plans.delete(planId);
  }

  #ask(order: (requestId: number) => SupervisorOrder): Promise<StaleReport | SnapshotReport | undefined> {
    return new Promise((resolve) => {
      if (!this.#alive) return resolve(undefined);
      const requestId = ++this.#lastRequestId;
      this.#requests.set(requestId, resolve);
      this.#thread.send(order(requestId));
    });
  }

  #answer(requestId: number, answer: StaleReport | SnapshotReport | undefined): void {
    this.#requests.get(requestId)?.(answer);
    this.#requests.delete(requestId);
  }

  #end(end: ThreadEnd): void {
    this.#alive = false;
    this.waits.end();
    for (const requestId of [...this.#requests.keys()]) this.#answer(requestId, undefined);
    this.#boot({ type: "ended", end });
    for (const planId of [...this.#plans.keys()]) this.#settlePlan(planId, { type: "ended", end });
    // Whoever is told of the end may count what was in flight.
    this.#listener.ended(this, end);
    this.calls.end(errorOfEnd(end));
  }
}
