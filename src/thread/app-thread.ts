/**
 * The thread of one epoch of the app: tells it to stop, ends it by force when it does not, and says how it has ended, which
 * its own reports know better than what ended it.
 */
import { FORCE_AFTER_MS } from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import { ABORTED, THREW_AGAIN, UNCAUGHT } from "../common/exit-codes.js";
import type { WorkerReport } from "../common/protocol/messages.js";
import type { BootOrder, SupervisorOrder } from "../common/protocol/orders.js";
import { type SerializedError, serializeError } from "../common/protocol/serialized-error.js";
import type { ThreadSource } from "./ahead-thread.js";
import { resumeStoppedThreads } from "./debugger.js";
import { ReplaceableThread } from "./replaceable-thread.js";
import type { TaskEnd } from "./thread-task.js";

/** How a thread ended. */
export type ThreadEnd =
  /** It was told to. `code`: the app's own, when it has ended itself; `error`: it has crashed meanwhile. */
  { readonly type: "stopped"; readonly code?: number; readonly error?: SerializedError } | UnexpectedEnd;

export type UnexpectedEnd =
  /** By `process.exit()`. */
  | { readonly type: "exited"; readonly code: number }
  /** Its event loop had nothing left to wait for. */
  | { readonly type: "ended"; readonly code: number }
  /** `code`: another than UNCAUGHT. */
  | { readonly type: "crashed"; readonly error: SerializedError; readonly code?: number };

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
  let isForced = false;
  let latest = Number.POSITIVE_INFINITY;
  const forceAfter = (ms: number): void => {
    clearTimeout(force);
    force = setTimeout(
      () => {
        isForced = true;
        onForce();
        void thread.destroy();
      },
      Math.max(0, Math.min(ms, latest - performance.now())),
    );
  };
  // Reports of how it ends come before the end itself, and say more. A crash makes Node call process.exit(), and comes behind
  // it where a listener for `exit` throws: what crashes is a crash.
  let lastWords: UnexpectedEnd | undefined;
  const thread = new ReplaceableThread(order, source, (report) => {
    if (report.type === "crashed" && lastWords?.type !== "crashed")
      lastWords = { type: "crashed", error: report.error };
    if (report.type === "disposing" && stopping) forceAfter(report.deadlineMs + FORCE_AFTER_MS);
    if (report.type === "exitRequested") lastWords = exited(lastWords, statusOf(report.code));
    onReport(report);
  });
  const ended = thread.ended.then((end): ThreadEnd => {
    const how = howEnded(end);
    if (!stopping || how.type === "stopped") return how;
    return { type: "stopped", code: exitCodeOf(how), ...(how.type === "crashed" && { error: how.error }) };
  });
  const howEnded = (end: TaskEnd): ThreadEnd => {
    if (isForced) return { type: "stopped" };
    // Piscina takes a value like `null` that nobody has caught for no error: the task returns.
    if (end.type === "returned") return lastWords ?? { type: "stopped" };
    const actual = endOf(end.error);
    // A listener for `exit` may have changed the code that process.exit() was given.
    if (lastWords?.type === "exited" && actual.type === "ended") return { type: "exited", code: actual.code };
    if (lastWords?.type === "crashed" && actual.type === "ended" && actual.code === ABORTED)
      return { ...lastWords, code: ABORTED };
    if (actual.type !== "crashed" || lastWords?.type === "crashed") return lastWords ?? actual;
    // What a listener for uncaught exceptions throws is told by its end alone, as is what Node ends a thread by.
    return actual.error.code?.startsWith("ERR_WORKER_") ? actual : { ...actual, code: THREW_AGAIN };
  };

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

/** After a crash the code is what listeners for `exit` have made of Node's. */
function exited(before: UnexpectedEnd | undefined, code: number): UnexpectedEnd {
  if (before === undefined) return { type: "exited", code };
  return before.type === "crashed" && code !== UNCAUGHT ? { ...before, code } : before;
}

function endOf(error: unknown): UnexpectedEnd {
  const exited = /^worker exited with code: (-?\d+)$/.exec(errorText(error));
  return exited
    ? { type: "ended", code: statusOf(Number(exited[1])) }
    : { type: "crashed", error: serializeError(error) };
}

/** Of a process's exit code the system keeps one byte, but for Windows. */
function statusOf(code: number): number {
  return process.platform === "win32" ? code : code & 0xff;
}

/** What a process would have ended with. */
export function exitCodeOf(end: UnexpectedEnd): number {
  return end.code ?? 1;
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
    case "ended":
      return {
        name: "WorkerExitError",
        code: "ERR_UNRELOADER_WORKER_EXIT",
        message: `the app has ended with code ${end.code}: it had nothing left to do`,
      };
    case "stopped":
      return { name: "WorkerExitError", code: "ERR_UNRELOADER_WORKER_EXIT", message: "the worker was stopped" };
    default:
      return end satisfies never;
  }
}
