/**
 * The conversation with one app thread: orders that expect an answer become promises, everything else is passed on.
 * When the thread ends, what is still awaited settles with that end; nothing here decides what to do about it.
 */

import type { PreparedModule, ResolveKind } from "../common/compile/compiled-module.js";
import { BOOT_MS, HEAP_SNAPSHOT_MS, OBEY_MS, SIGNAL_HEARD_MS, STALE_CHECK_MS } from "../common/deadlines.js";
import type {
  BootOrder,
  LoadedModule,
  PlanOrder,
  PublicAddress,
  SaidPage,
  StaleReference,
  ThreadWait,
  WorkerReport,
} from "../common/protocol/messages.js";
import { OwnConnections } from "../common/protocol/own-connections.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import { ThreadBoard } from "../common/protocol/thread-board.js";
import { Questions } from "../common/questions.js";
import { type WaitLimits, wait } from "../common/wait.js";
import type { Address } from "../options/inspect-address.js";
import type { ThreadSource } from "./ahead-thread.js";
import { type AppThread, errorOfEnd, startAppThread, type ThreadEnd } from "./app-thread.js";
import { ThreadCalls } from "./calls.js";
import { watchPulse } from "./pulse.js";

export type ListenReport = Extract<WorkerReport, { type: "listenRequested" }>;

export type BootOutcome =
  | {
      readonly type: "booted";
      readonly loaded: readonly LoadedModule[];
      readonly serves: "listening" | "exported" | "pending";
    }
  | { readonly type: "failed"; readonly loaded: readonly LoadedModule[]; readonly error: SerializedError }
  | { readonly type: "ended"; readonly end: ThreadEnd }
  /** Nobody waits for it any more, by the caller's signal or by the deadline of all starts. */
  | { readonly type: "abandoned"; readonly because: "aborted" | "late" };

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
  /** It was told to give the plan up, and is back at the versions it had. */
  | { readonly type: "interrupted"; readonly because: Interruption; readonly damaged: readonly string[] }
  /** It was told to give the plan up, and does not answer: it cannot be used any more. */
  | { readonly type: "abandoned"; readonly because: Interruption }
  | { readonly type: "ended"; readonly end: ThreadEnd };

/** Why a plan was given up: by the caller's signal, by its deadline, or because the thread is blocked. */
export type Interruption = "aborted" | "late" | "blocked";

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
  /** How long the thread has been seen not to beat, in milliseconds; 0 while it beats. */
  silentMs(epoch: AppEpoch): number;
  logged(level: "debug" | "info" | "warn" | "error", message: string): void;
  /** It is about to be ended by force. */
  forced(epoch: AppEpoch): void;
  ended(epoch: AppEpoch, end: ThreadEnd): void;
}

export class AppEpoch {
  readonly number: number;
  readonly calls: ThreadCalls;
  /** What the thread shows of itself without sending anything: whether it beats, and what the app wrote last. */
  readonly board: ThreadBoard;
  /** Those that its app has opened to its own servers. */
  readonly ownConnections: OwnConnections;
  readonly #thread: AppThread;
  readonly #listener: EpochListener;
  readonly #boots = new Questions<BootOutcome>();
  readonly #plans = new Questions<ApplyOutcome>();
  /** The answer is undefined when the thread ends. */
  readonly #requests = new Questions<StaleReport | SnapshotReport | undefined>();
  /** The same. */
  readonly #waits = new Questions<readonly ThreadWait[] | undefined>();
  /** Whether the app listens for a signal; undefined when the thread ends. */
  readonly #signals = new Questions<boolean | undefined>();
  /** The last plan whose purge is over. */
  #purged = 0;
  /** Called with each plan whose purge is over. */
  #onPurged: (planId: number) => void = () => undefined;
  #reportsSeen = 0;
  /** Code of the plan that is under way, or was last: the thread may be running it. */
  #planned: readonly PreparedModule[] = [];
  #idleGeneration: number | undefined;
  #alive = true;

  constructor(order: BootOrder, source: ThreadSource, listener: EpochListener) {
    this.number = order.epoch;
    this.board = new ThreadBoard(order.board);
    this.ownConnections = new OwnConnections(order.ownConnections);
    this.#listener = listener;
    this.#thread = startAppThread({
      order,
      source,
      onReport: (report) => this.#receive(report),
      onForce: () => listener.forced(this),
    });
    this.calls = new ThreadCalls({
      call: (order) => this.#thread.send(order),
      abortCall: (callId, signal, reason) => {
        if (this.#alive) this.#thread.send({ type: "abortCall", callId, signal, reason });
      },
    });
    void this.#thread.ended.then((end) => this.#end(end));
  }

  /** New code that the thread was sent last. */
  get planned(): readonly PreparedModule[] {
    return this.#planned;
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
   * see the order. Given up at the abort of `signal`; the thread has to be ended then.
   */
  async boot(modules: readonly PreparedModule[], portsWait: boolean, signal?: AbortSignal): Promise<BootOutcome> {
    const boot = this.#boots.ask(() => {
      this.#thread.send({ type: "addModules", modules });
      this.#thread.send({ type: "evaluate", portsWait });
    });
    const waited = await wait(boot.answered, { deadlineMs: BOOT_MS, signal });
    if (waited.type === "settled") return waited.value;
    return { type: "abandoned", because: waited.type };
  }

  /**
   * Applies a plan. Given up when its evaluation has taken as long as the deadline, at the abort of `signal`, and when the
   * thread is blocked by old code (in a handler, in a dispose hook): then it is told to go back, and has a moment to say
   * that it has.
   */
  async apply(plan: PlanOrder, limits: WaitLimits = {}): Promise<ApplyOutcome> {
    let planId = 0;
    this.#planned = plan.modules;
    const question = this.#plans.ask((id) => {
      planId = id;
      this.#thread.send({ type: "applyPlan", planId, reportsSeen: this.#reportsSeen, ...plan });
    });
    const blocked = new AbortController();
    const pulse = watchPulse(
      this.board,
      () => this.#purged !== planId && blocked.abort(),
      this.#listener.silentMs(this),
    );
    const signal = AbortSignal.any([blocked.signal, ...(limits.signal ? [limits.signal] : [])]);
    // What comes before (requests in flight, dispose hooks) has deadlines of its own, one for each.
    const purged = new Promise<void>((resolve) => {
      this.#onPurged = (id) => id === planId && resolve();
    });
    const begun = await wait(Promise.race([question.answered, purged]), { signal });
    const waited = begun.type === "settled" ? await wait(question.answered, { ...limits, signal }) : begun;
    pulse.stop();
    if (waited.type === "settled") return waited.value;
    const because = blocked.signal.aborted ? "blocked" : waited.type;
    if (this.#alive) this.#thread.send({ type: "abandonPlan", planId });
    // One that does not beat does not read the order either.
    const isSilent = because === "blocked" || pulse.silentMs() > OBEY_MS;
    const obeyed = await wait(question.answered, { deadlineMs: isSilent ? 0 : OBEY_MS });
    question.drop();
    if (obeyed.type !== "settled") return { type: "abandoned", because };
    const outcome = obeyed.value;
    return outcome.type === "failed" ? { type: "interrupted", because, damaged: outcome.damaged } : outcome;
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

  /** The page that the thread answers in place of the app, while the connection table says so. */
  sayInstead(page: SaidPage): void {
    if (this.#alive) this.#thread.send({ type: "sayInstead", page });
  }

  releaseRequests(): void {
    if (this.#alive) this.#thread.send({ type: "releaseRequests" });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#alive) this.#thread.send({ type: "signal", signal });
  }

  /** The same; resolves with whether the app listens for it. Undefined: the thread has ended, or does not answer. */
  offerSignal(signal: NodeJS.Signals): Promise<boolean | undefined> {
    return this.#signals.askFor(SIGNAL_HEARD_MS, (requestId) =>
      this.#thread.send({ type: "signal", signal, requestId }),
    );
  }

  /** The newest code is broken: for those of the app who want to know. */
  announceFailure(error: SerializedError): void {
    if (this.#alive) this.#thread.send({ type: "announceFailure", error });
  }

  /** Has the thread look for stale references now; they are reported as any others. Undefined: it has ended. */
  async checkStaleReferences(): Promise<readonly StaleReference[] | undefined> {
    const answer = await this.#requests.askFor(STALE_CHECK_MS, (requestId) =>
      this.#thread.send({ type: "checkStaleReferences", requestId }),
    );
    return answer?.type === "staleReferencesChecked" ? answer.references : undefined;
  }

  /** The same, with a heap snapshot when there are any. */
  async writeHeapSnapshot(file: string): Promise<SnapshotReport | undefined> {
    const answer = await this.#requests.askFor(HEAP_SNAPSHOT_MS, (requestId) =>
      this.#thread.send({ type: "writeHeapSnapshot", requestId, file }),
    );
    return answer?.type === "heapSnapshotWritten" ? answer : undefined;
  }

  /**
   * What the thread waits for. It answers beside everything else that it does, unless it is blocked. Undefined: it has
   * ended, or does not answer within `deadlineMs`.
   */
  waits(deadlineMs: number): Promise<readonly ThreadWait[] | undefined> {
    return this.#waits.askFor(deadlineMs, (requestId) => this.#thread.send({ type: "tellWaits", requestId }));
  }

  /** Settles when the thread has ended. */
  get ended(): Promise<unknown> {
    return this.#thread.ended;
  }

  /** Ends the thread: what the app has begun gets `drainMs`; at `endMs` it is over in every case. Idempotent. */
  stop(drainMs: number, restarts: boolean, endMs?: number): Promise<void> {
    return this.#thread.stop(drainMs, restarts, endMs);
  }

  #receive(report: WorkerReport): void {
    switch (report.type) {
      case "evaluated":
        this.#boots.answer(1, { type: "booted", loaded: report.loaded, serves: report.serves });
        break;
      case "startSettled":
        this.#listener.startSettled(this);
        break;
      case "begunWorkDone":
        this.#idleGeneration = report.generation;
        this.#listener.begunWorkDone(this);
        break;
      case "evaluateFailed":
        this.#boots.answer(1, { type: "failed", loaded: report.loaded, error: report.error });
        break;
      case "planApplied":
        this.#plans.answer(report.planId, {
          type: "applied",
          loaded: report.loaded,
          purged: report.purged,
          stuck: report.stuck,
        });
        break;
      case "planPurged":
        this.#purged = report.planId;
        this.#onPurged(report.planId);
        // A reload that fails, and what mends it, are of the generation before: what they begin may listen as well.
        this.#idleGeneration = undefined;
        break;
      case "planOutdated":
        this.#plans.answer(report.planId, { type: "outdated" });
        break;
      case "planFailed":
        this.#plans.answer(report.planId, { type: "failed", error: report.error, damaged: report.damaged });
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
      case "signalDelivered":
        this.#signals.answer(report.requestId, report.isHeard);
        break;
      case "waitsTold":
        this.#waits.answer(report.requestId, report.waits);
        break;
      case "staleReferencesChecked":
        this.#listener.staleReferences(this, report.references, report.news);
        if (report.requestId !== undefined) this.#requests.answer(report.requestId, report);
        break;
      case "heapSnapshotWritten":
        this.#requests.answer(report.requestId, report);
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

  #end(end: ThreadEnd): void {
    this.#alive = false;
    this.#waits.end(undefined);
    this.#signals.end(undefined);
    this.#requests.end(undefined);
    this.#boots.end({ type: "ended", end });
    this.#plans.end({ type: "ended", end });
    // Whoever is told of the end may count what was in flight.
    this.#listener.ended(this, end);
    this.calls.end(errorOfEnd(end));
  }
}
