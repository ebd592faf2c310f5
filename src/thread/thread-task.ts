/**
 * The one task of a thread, which runs for as long as the app lives: what is sent to it, what it reports, and how it ends.
 * Its promise is how the end of the thread shows, whatever ended it; aborting a task would kill the thread, so nothing here
 * is tied to a signal.
 */
import { MessageChannel } from "node:worker_threads";
import { LINKED_MS, SESSIONS_MS } from "../common/deadlines.js";
import { openControlPort } from "../common/protocol/control-port.js";
import { type WorkerReport, workerReport } from "../common/protocol/messages.js";
import type { AppTask, BootOrder, LateOrder, SupervisorOrder } from "../common/protocol/orders.js";
import { ThreadBoard } from "../common/protocol/thread-board.js";
import { endSessions } from "./session-end.js";
import type { SpareThread } from "./spare-thread.js";

/** `threw`: an exception, `process.exit()`, or the end by force. */
export type TaskEnd = { readonly type: "returned" } | { readonly type: "threw"; readonly error: unknown };

export class ThreadTask {
  /** Settles once, when the thread has ended; never rejects. */
  readonly ended: Promise<TaskEnd>;
  #onReport: (report: WorkerReport) => void;
  readonly #spare: SpareThread;
  #board: ThreadBoard;
  /** The task has ended, and the thread with it. */
  #over = false;
  readonly #send: (order: SupervisorOrder) => void;

  /** `spare` is used up by this. */
  constructor(order: BootOrder, spare: SpareThread, onReport: (report: WorkerReport) => void) {
    this.#spare = spare;
    this.#board = new ThreadBoard(order.board);
    this.#onReport = onReport;
    const { port1, port2 } = new MessageChannel();
    const control = openControlPort<SupervisorOrder, WorkerReport>(
      port1,
      (value) => workerReport.parse(value),
      (report) => this.#onReport(report),
    );
    this.#send = (message) => control.send(message);
    const task: AppTask = {
      order,
      port: port2,
      ...(spare.process && { process: spare.process.sharedWith(spare.environment) }),
    };
    const result = spare.pool.run(task, { transferList: [port2] }).then(
      (): TaskEnd => ({ type: "returned" }),
      (error: unknown): TaskEnd => ({ type: "threw", error }),
    );
    // The port's messages may come after the task's result, or the worker's own `exit` event: let them arrive.
    this.ended = result.then(async (end) => {
      await new Promise(setImmediate);
      control.drain();
      return end;
    });
    void this.ended.then(() => {
      this.#over = true;
      port1.close();
      return spare.over();
    });
  }

  send(order: SupervisorOrder): void {
    this.#send(order);
  }

  /** The thread that has waited is an app's from here on. */
  begin(order: LateOrder, onReport: (report: WorkerReport) => void): void {
    this.#onReport = onReport;
    this.#board = new ThreadBoard(order.board);
    this.#send({ type: "begin", order });
  }

  /** Ends the thread by force. */
  async destroy(): Promise<void> {
    await this.#board.readyToEnd(LINKED_MS);
    const { sessions, readsInput, threadId } = this.#board;
    if (!this.#over && (sessions > 0 || readsInput)) await endSessions(threadId, SESSIONS_MS);
    await this.#spare.destroy();
  }
}
