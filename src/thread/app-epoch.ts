/**
 * The conversation with one app thread: orders that expect an answer become promises, everything else is passed on.
 * When the thread ends, what is still awaited settles with that end; nothing here decides what to do about it.
 */
import type { PreparedModule } from "../common/compile/compiled-module.js";
import { BOOT_MS, HEAP_SNAPSHOT_MS, OBEY_MS, SIGNAL_HEARD_MS, STALE_CHECK_MS } from "../common/deadlines.js";
import type { PublicAddress, StaleReference, ThreadWait, WorkerReport } from "../common/protocol/messages.js";
import type { BootOrder, PlanOrder, SaidPage, SupervisorOrder, TerminalSignal } from "../common/protocol/orders.js";
import { OwnConnections } from "../common/protocol/own-connections.js";
import { Questions } from "../common/protocol/questions.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import { ThreadBoard } from "../common/protocol/thread-board.js";
import { type WaitLimits, wait } from "../common/wait.js";
import type { Address } from "../options/inspect-address.js";
import type { ThreadSource } from "./ahead-thread.js";
import { type AppThread, startAppThread, type ThreadEnd } from "./app-thread.js";
import { ThreadCalls } from "./calls.js";
import { watchPulse } from "./pulse.js";
import { type ApplyOutcome, applyOutcome, type BootOutcome, bootOutcome, type ThreadAnswer } from "./thread-answer.js";

export type ListenReport = Extract<WorkerReport, { type: "listenRequested" }>;

export type SnapshotReport = Extract<WorkerReport, { type: "heapSnapshotWritten" }>;

/** What the thread tells of itself, at any time. How it ends is told by the thread's own promise. */
export type ToldReport = Extract<
  WorkerReport,
  {
    type:
      | "listenRequested"
      | "serverClosed"
      | "serverReleased"
      | "listensAgain"
      | "modulesDiscovered"
      | "modulesLoaded"
      | "specifierLookedUp"
      | "fileWritten"
      | "moduleWritten"
      | "packageFilesLoaded"
      | "loaderChanged"
      | "invalidated"
      | "staleReferencesChecked"
      | "subclassesUnknown"
      | "startSettled"
      | "queueStopped"
      | "routeLost"
      | "signalsListened"
      | "begunWorkDone"
      | "inputWanted"
      | "inputLeft"
      | "inputRests"
      | "logged";
  }
>;

export interface EpochListener {
  told(epoch: AppEpoch, report: ToldReport): void;
  /** How long the thread has been seen not to beat, in milliseconds; 0 while it beats. */
  silentMs(epoch: AppEpoch): number;
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
  readonly #questions = new Questions<ThreadAnswer>();
  /** Number of the question that the first evaluation answers. */
  #bootId = 0;
  /** The last plan whose purge is over. */
  #purged = 0;
  /** Called with each plan whose purge is over. */
  #onPurged: (planId: number) => void = () => undefined;
  #reportsSeen = 0;
  /** Code of the plan that is under way, or was last: the thread may be running it. */
  #planned: readonly PreparedModule[] = [];
  #idleGeneration: number | undefined;
  #alive = true;
  #over: ThreadEnd | undefined;

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
    this.calls = new ThreadCalls(this.#questions, (message) => this.#send(message));
    void this.#thread.ended.then((end) => this.#end(end));
  }

  /** To a thread that has ended nothing is sent. */
  #send(message: SupervisorOrder): void {
    if (this.#alive) this.#thread.send(message);
  }

  /** New code that the thread was sent last. */
  get planned(): readonly PreparedModule[] {
    return this.#planned;
  }

  /** A plan has purged modules: what they have begun may still run. */
  get hasPurged(): boolean {
    return this.#purged > 0;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** How it has ended; undefined while it has not. */
  get over(): ThreadEnd | undefined {
    return this.#over;
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
    const waited = await this.#questions.ask(
      (id) => {
        this.#bootId = id;
        this.#thread.send({ type: "addModules", modules });
        this.#thread.send({ type: "evaluate", portsWait });
      },
      { deadlineMs: BOOT_MS, signal, whatFor: "the first evaluation" },
    );
    return waited.type === "settled" ? bootOutcome(waited.value) : { type: "abandoned", because: waited.type };
  }

  /**
   * Applies a plan. Given up when its evaluation has taken as long as the deadline, at the abort of `signal`, and when the
   * thread is blocked by old code (in a handler, in a dispose hook): then it is told to go back, and has a moment to say
   * that it has.
   */
  async apply(plan: PlanOrder, limits: WaitLimits = {}): Promise<ApplyOutcome> {
    this.#planned = plan.modules;
    const question = this.#questions.open((planId) =>
      this.#thread.send({ type: "applyPlan", planId, reportsSeen: this.#reportsSeen, ...plan }),
    );
    const planId = question.id;
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
    if (waited.type === "settled") return applyOutcome(waited.value);
    const because = blocked.signal.aborted ? "blocked" : waited.type;
    this.#send({ type: "abandonPlan", planId });
    // One that does not beat does not read the order either.
    const isSilent = because === "blocked" || pulse.silentMs() > OBEY_MS;
    const obeyed = await wait(question.answered, { deadlineMs: isSilent ? 0 : OBEY_MS });
    question.drop();
    if (obeyed.type !== "settled") return { type: "abandoned", because };
    const outcome = applyOutcome(obeyed.value);
    return outcome.type === "failed" ? { type: "interrupted", because, damaged: outcome.damaged } : outcome;
  }

  /** Lets a debugger attach to the thread. Two threads cannot have the same port: the one before must have ended. */
  openInspector({ host, port }: Address): void {
    this.#send({ type: "openInspector", host, port });
  }

  answerListen(listenId: number, outcome: { address: PublicAddress } | { error: SerializedError }): void {
    this.#send({ type: "answerListen", listenId, ...outcome });
  }

  /** The socket of a server is gone: it shall listen again on the same path. */
  listenAgain(listenId: number): void {
    this.#send({ type: "listenAgain", listenId });
  }

  /** The page that the thread answers in place of the app, while the connection table says so. */
  sayInstead(page: SaidPage): void {
    this.#send({ type: "sayInstead", page });
  }

  passRequests(): void {
    this.#send({ type: "passRequests" });
  }

  /** Its thread reads standard input from here on. */
  giveInput(unread: Uint8Array): void {
    this.#send({ type: "giveInput", unread });
  }

  leaveInput(): void {
    this.#send({ type: "leaveInput" });
  }

  terminalSignal(signal: TerminalSignal): void {
    this.#send({ type: "terminalSignal", signal });
  }

  /** Calls the app's listeners. `ends`: the order to stop follows. */
  signal(signal: NodeJS.Signals, ends: boolean): void {
    this.#send({ type: "signal", signal, ends });
  }

  /** The same. Resolves when the app has nothing left to do, or has ended; after `deadlineMs` at the latest. */
  async endBySignal(signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
    const send = (requestId: number): void => this.#send({ type: "endBySignal", signal, requestId });
    await this.#request(deadlineMs, `the end by ${signal}`, send);
  }

  /** Calls the app's listeners, and goes on; resolves with whether the app listens for it. Undefined: the thread has ended, or does not answer. */
  async offerSignal(signal: NodeJS.Signals): Promise<boolean | undefined> {
    const answer = await this.#request(SIGNAL_HEARD_MS, `whether the app listens for ${signal}`, (requestId) =>
      this.#thread.send({ type: "signal", signal, ends: false, requestId }),
    );
    return answer?.type === "signalDelivered" ? answer.isHeard : undefined;
  }

  /** The newest code is broken: for those of the app who want to know. */
  announceFailure(error: SerializedError): void {
    this.#send({ type: "announceFailure", error });
  }

  /** Has the thread look for stale references now; they are told as any others. Undefined: it has ended, or does not answer. */
  async checkStaleReferences(): Promise<readonly StaleReference[] | undefined> {
    const answer = await this.#request(STALE_CHECK_MS, "stale references", (requestId) =>
      this.#thread.send({ type: "checkStaleReferences", requestId }),
    );
    return answer?.type === "staleReferencesChecked" ? answer.references : undefined;
  }

  /** The same, with a heap snapshot when there are any. */
  async writeHeapSnapshot(file: string): Promise<SnapshotReport | undefined> {
    const answer = await this.#request(HEAP_SNAPSHOT_MS, "a heap snapshot", (requestId) =>
      this.#thread.send({ type: "writeHeapSnapshot", requestId, file }),
    );
    return answer?.type === "heapSnapshotWritten" ? answer : undefined;
  }

  /** What the thread waits for; answered beside all that it does, unless it is blocked. Undefined: no answer in time. */
  async waits(deadlineMs: number): Promise<readonly ThreadWait[] | undefined> {
    const answer = await this.#request(deadlineMs, "what the thread waits for", (requestId) =>
      this.#thread.send({ type: "tellWaits", requestId }),
    );
    return answer?.type === "waitsTold" ? answer.waits : undefined;
  }

  /** What modules have created and not ended, and how large the heap is. Undefined: no answer in time. */
  async created(deadlineMs: number): Promise<Extract<ThreadAnswer, { type: "createdTold" }> | undefined> {
    const answer = await this.#request(deadlineMs, "what modules have created", (requestId) =>
      this.#thread.send({ type: "tellCreated", requestId }),
    );
    return answer?.type === "createdTold" ? answer : undefined;
  }

  /** Undefined: there was no answer in time. */
  async #request(deadlineMs: number, whatFor: string, send: (id: number) => void): Promise<ThreadAnswer | undefined> {
    const waited = await this.#questions.ask(send, { deadlineMs, whatFor });
    return waited.type === "settled" ? waited.value : undefined;
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
      case "evaluateFailed":
        this.#questions.answer(this.#bootId, report);
        break;
      case "planApplied":
      case "planOutdated":
      case "planFailed":
        this.#questions.answer(report.planId, report);
        break;
      case "callReturned":
      case "callFailed":
        this.#questions.answer(report.callId, report);
        break;
      case "waitsTold":
      case "createdTold":
      case "signalDelivered":
      case "signalOver":
      case "heapSnapshotWritten":
        this.#questions.answer(report.requestId, report);
        break;
      case "signalsListened":
        this.#listener.told(this, report);
        this.board.signalsKnown();
        break;
      case "staleReferencesChecked":
        this.#listener.told(this, report);
        if (report.requestId !== undefined) this.#questions.answer(report.requestId, report);
        break;
      case "planPurged":
        this.#purged = report.planId;
        this.#onPurged(report.planId);
        // A reload that fails, and what mends it, are of the generation before: what they begin may listen as well.
        this.#idleGeneration = undefined;
        break;
      case "begunWorkDone":
        this.#idleGeneration = report.generation;
        this.#listener.told(this, report);
        break;
      case "modulesDiscovered":
      case "modulesLoaded":
        this.#reportsSeen++;
        this.#listener.told(this, report);
        break;
      // How the thread ends is told by the thread itself, and it has its calls answered.
      case "started":
      case "loadedAhead":
      case "refused":
      case "disposing":
      case "crashed":
      case "exitRequested":
      case "processCalled":
      case "messageSent":
      case "messageTaken":
      case "disconnected":
        break;
      default:
        this.#listener.told(this, report);
    }
  }

  #end(end: ThreadEnd): void {
    this.#alive = false;
    this.#over = end;
    this.#questions.end({ type: "ended", end });
    // Those who are told of the end may count what was in flight: who asked learns of it later.
    this.#listener.ended(this, end);
  }
}
