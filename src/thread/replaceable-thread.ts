/**
 * The thread that an app gets, whichever that is. One that has loaded packages ahead may turn out not to fit: by what it is
 * to evaluate, or, in rare cases, by what that then does. Another one takes its place then, and is told all that the first
 * one was; the sender of orders notices nothing.
 */
import type { PreparedModule } from "../common/compile/compiled-module.js";
import type { WorkerReport } from "../common/protocol/messages.js";
import type { BootOrder, SupervisorOrder } from "../common/protocol/orders.js";
import { ThreadBoard } from "../common/protocol/thread-board.js";
import { type AheadThread, lateOrder, type ThreadSource, unfitFor } from "./ahead-thread.js";
import { SpareThread } from "./spare-thread.js";
import { type TaskEnd, ThreadTask } from "./thread-task.js";

export class ReplaceableThread {
  /** Settles once, when the thread has ended and no other takes its place; never rejects. */
  readonly ended: Promise<TaskEnd>;
  readonly #order: BootOrder;
  readonly #source: ThreadSource;
  readonly #onReport: (report: WorkerReport) => void;
  /** What the thread has, file by file: as it was sent, or as it has found it. */
  readonly #modules = new Map<string, PreparedModule>();
  /** One that was made ahead, until the app has been evaluated in it. */
  #ahead: AheadThread | undefined;
  /** All that was sent, while another thread may take the place of this one. */
  #sent: SupervisorOrder[] | undefined;
  /** Undefined while nothing was sent to a thread that was made ahead. */
  #task: ThreadTask | undefined;
  /** It was ended while another was to take its place. */
  #destroyed = false;
  /** What the thread listens on so far, while another may take its place. */
  readonly #listens = new Set<number>();
  #end: (end: TaskEnd) => void = () => {};

  constructor(order: BootOrder, source: ThreadSource, onReport: (report: WorkerReport) => void) {
    this.#order = order;
    this.#source = source;
    this.#onReport = onReport;
    this.ended = new Promise<TaskEnd>((resolve) => {
      this.#end = resolve;
    });
    void this.ended.then(() => {
      source.process?.ended(order.epoch);
      source.process?.channel?.ended(order.epoch);
    });
    this.#ahead = source.ahead;
    if (this.#ahead) this.#sent = [];
    else this.#start(source.bare);
  }

  send(order: SupervisorOrder): void {
    if (order.type === "addModules" || order.type === "applyPlan") this.#note(order.modules);
    if (order.type === "applyPlan") this.#source.changed();
    this.#sent?.push(order);
    if (this.#task) this.#pass(order, this.#task);
    else if (order.type === "evaluate") void this.#decide();
    else if (order.type === "stop") this.#giveBack();
  }

  /** Ends the thread by force. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    if (!this.#task) this.#giveBack();
    await this.#task?.destroy();
  }

  #pass(order: SupervisorOrder, task: ThreadTask): void {
    if (order.type === "evaluate") {
      const { epoch } = this.#order;
      this.#source.process?.giveTo(epoch);
      this.#source.process?.channel?.begin(epoch, (message) => task.send(message));
    }
    task.send(order);
  }

  #start(bare: SpareThread | undefined): ThreadTask {
    const spare = bare ?? new SpareThread(this.#source.process);
    return this.#run(new ThreadTask(this.#order, spare, (report) => this.#receive(report)));
  }

  #run(task: ThreadTask): ThreadTask {
    this.#task = task;
    void task.ended.then((end) => {
      if (this.#task === task) this.#end(end);
    });
    return task;
  }

  async #decide(): Promise<void> {
    const ahead = this.#ahead;
    if (!ahead) return;
    const because = await unfitFor(ahead, this.#order, this.#modules, this.#source.environment());
    // It was stopped meanwhile.
    if (this.#ahead !== ahead) return;
    if (because !== undefined) {
      this.#replace(ahead, because);
      return;
    }
    const sent = this.#sent ?? [];
    this.#run(ahead.task);
    const late = lateOrder(ahead, this.#order, this.#source.environment());
    ahead.task.begin(late, (report) => this.#receive(report));
    for (const order of sent) this.#pass(order, ahead.task);
  }

  /** A new thread, in the place of one that does not fit. */
  #replace(ahead: AheadThread, because: string): void {
    const hasBegun = this.#task !== undefined;
    this.#ahead = undefined;
    this.#task = undefined;
    const ended = this.#source.refused(ahead, because);
    if (hasBegun) this.#onReport({ type: "signalsListened", signals: [] });
    for (const listenId of this.#listens) this.#onReport({ type: "serverClosed", listenId });
    // The new thread has the board of the old one, which is told there that it has to end.
    if (hasBegun) void ended.then(() => this.#startAgain());
    else this.#startAgain();
  }

  /** Tells the new thread all that the first one was told. */
  #startAgain(): void {
    const sent = this.#sent ?? [];
    this.#sent = undefined;
    if (this.#destroyed) {
      this.#end({ type: "returned" });
      return;
    }
    new ThreadBoard(this.#order.board).reuse();
    const task = this.#start(undefined);
    for (const order of sent) this.#pass(order, task);
  }

  #giveBack(): void {
    const ahead = this.#ahead;
    if (!ahead) return;
    this.#ahead = undefined;
    this.#sent = undefined;
    this.#source.giveBack(ahead);
    this.#end({ type: "returned" });
  }

  #receive(report: WorkerReport): void {
    switch (report.type) {
      case "refused":
        if (this.#ahead) this.#replace(this.#ahead, report.because);
        return;
      case "processCalled":
        this.#source.process?.answer(this.#order.epoch, report.call);
        return;
      case "messageSent":
        this.#source.process?.channel?.write(this.#order.epoch, report.id, report.message);
        return;
      case "messageTaken":
        this.#source.process?.channel?.taken(this.#order.epoch, report.id);
        return;
      case "disconnected":
        void this.#source.process?.channel?.close(this.#order.epoch);
        return;
      case "evaluated":
      case "evaluateFailed":
        this.#ahead = undefined;
        this.#sent = undefined;
        break;
      case "modulesDiscovered":
        this.#note(report.modules);
        break;
      case "listenRequested":
        if (this.#ahead) this.#listens.add(report.listenId);
        break;
      default:
        break;
    }
    this.#onReport(report);
    if (report.type === "evaluated" && report.packages) this.#source.recorded(report.packages, this.#modules);
  }

  #note(modules: readonly PreparedModule[]): void {
    for (const prepared of modules) this.#modules.set(prepared.compiled.file, prepared);
  }
}
