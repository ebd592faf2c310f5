/**
 * The thread of one epoch of the app: tells it to stop, ends it by force when it does not, and says how it has ended, which
 * its own reports know better than what ended it.
 */
import { FORCE_AFTER_MS } from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import type { WorkerReport } from "../common/protocol/messages.js";
import type { BootOrder, SupervisorOrder } from "../common/protocol/orders.js";
import { type SerializedError, serializeError } from "../common/protocol/serialized-error.js";
import type { ThreadSource } from "./ahead-thread.js";
import { resumeStoppedThreads } from "./debugger.js";
import { ReplaceableThread } from "./replaceable-thread.js";

/** How a thread ended. `stopped`: it was told to. */
export type ThreadEnd = { readonly type: "stopped" } | UnexpectedEnd;

export type UnexpectedEnd =
  | { readonly type: "exited"; readonly code: number }
  | { readonly type: "crashed"; readonly error: SerializedError };

export interface AppThread {
  readonly epoch: number;
  send(order: SupervisorOrder): void;
  /** Settles once, when the thread has ended; never rejects. */
  readonly ended: Promise<ThreadEnd>;
  /**
   * Asks the app to finish what it has begun, for `drainMs`, and to dispose, and ends the thread: at `endMs` in every case,
   * by force. A second call can only shorten that. `restarts`: another thread has taken over, or is about to.
   */
  stop(drainMs: number, restarts: boolean, endMs?: number): Promise<void>;
}

export interface AppThreadOptions {
  readonly order: BootOrder;
  readonly source: ThreadSource;
  onReport(report: WorkerReport): void;
  /** It is about to be ended by force. */
  onForce(): void;
}

/** Starts the app's thread: in the one that is ready for it, in one that has only the runtime, or in a new one. */
export function startAppThread({ order, source, onReport, onForce }: AppThreadOptions): AppThread {
  let stopping = false;
  /** Ends the thread that was told to and does not. */
  let force: NodeJS.Timeout | undefined;
  let latest = Number.POSITIVE_INFINITY;
  const forceAfter = (ms: number): void => {
    clearTimeout(force);
    force = setTimeout(
      () => {
        onForce();
        void thread.destroy();
      },
      Math.max(0, Math.min(ms, latest - performance.now())),
    );
  };
  // Reports of how it ends come before the end itself, and say more. A crash makes Node call process.exit(): the first counts.
  let lastWords: ThreadEnd | undefined;
  const thread = new ReplaceableThread(order, source, (report) => {
    if (report.type === "crashed") lastWords ??= { type: "crashed", error: report.error };
    if (report.type === "disposing" && stopping) forceAfter(report.deadlineMs + FORCE_AFTER_MS);
    if (report.type === "exitRequested") lastWords ??= { type: "exited", code: statusOf(report.code) };
    onReport(report);
  });
  const ended = thread.ended.then((end): ThreadEnd => {
    if (stopping || end.type === "returned") return { type: "stopped" };
    const actual = endOf(end.error);
    // A listener for `exit` may have changed the code that process.exit() was given.
    return lastWords?.type === "exited" && actual.type === "exited" ? actual : (lastWords ?? actual);
  });

  return {
    epoch: order.epoch,
    ended,
    send: (message) => thread.send(message),
    async stop(drainMs, restarts, endMs) {
      if (endMs !== undefined) latest = Math.min(latest, performance.now() + endMs);
      if (!stopping || endMs !== undefined) forceAfter(drainMs + FORCE_AFTER_MS);
      if (!stopping) {
        stopping = true;
        // Standing at a breakpoint it would not read the order.
        if (order.debuggable) resumeStoppedThreads();
        thread.send({ type: "stop", drainMs, restarts });
      }
      await ended;
      clearTimeout(force);
      await thread.destroy();
    },
  };
}

function endOf(error: unknown): ThreadEnd {
  const exited = /^worker exited with code: (-?\d+)$/.exec(errorText(error));
  return exited
    ? { type: "exited", code: statusOf(Number(exited[1])) }
    : { type: "crashed", error: serializeError(error) };
}

/** Of a process's exit code the system keeps one byte, but for Windows. */
function statusOf(code: number): number {
  return process.platform === "win32" ? code : code & 0xff;
}

/** What a request or a report is told about the end of a thread. */
export function errorOfEnd(end: ThreadEnd): SerializedError {
  switch (end.type) {
    case "crashed":
      return end.error;
    case "exited":
      return {
        name: "WorkerExitError",
        code: "ERR_UNRELOADER_WORKER_EXIT",
        message: `the app ended itself: process.exit(${end.code})`,
      };
    case "stopped":
      return { name: "WorkerExitError", code: "ERR_UNRELOADER_WORKER_EXIT", message: "the worker was stopped" };
    default:
      return end satisfies never;
  }
}
