/**
 * Ends the HTTP/2 sessions of a thread that is about to be ended by force, and has it leave stdin: the terminal is as it was,
 * and what it has not read is not lost. One that is blocked takes no orders, but its
 * inspector runs a call in the middle of what it does, for an instant (see workers/listener/http2-sessions.ts for why).
 */
import { Session } from "node:inspector";
import { END_SESSIONS } from "../common/protocol/thread-board.js";

const CALL = JSON.stringify({
  id: 1,
  method: "Runtime.evaluate",
  params: { expression: `process[Symbol.for("${END_SESSIONS}")]?.()`, silent: true },
});

/**
 * `threadId`: as `Worker.threadId` has it. Resolves when it is done, or after `deadlineMs`: a thread that is in native code
 * runs no call. Never rejects.
 */
export async function endSessions(threadId: number, deadlineMs: number): Promise<void> {
  const session = new Session();
  let timer: NodeJS.Timeout | undefined;
  let attached: string | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
    session.connect();
    session.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) => {
      // As for a look at what it runs: the title begins with the thread's id.
      if (!workerInfo.title.startsWith(`[worker ${threadId}]`)) return;
      attached = sessionId;
      session.post("NodeWorker.sendMessageToWorker", { sessionId, message: CALL }, () => {});
    });
    session.on("NodeWorker.receivedMessageFromWorker", ({ params: { sessionId, message } }) => {
      if (sessionId === attached && (JSON.parse(message) as { id?: number }).id === 1) resolve();
    });
    session.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) => {
      if (error) resolve();
    });
  });
  clearTimeout(timer);
  // A thread with a client of its inspector would not end.
  if (attached !== undefined) session.post("NodeWorker.detach", { sessionId: attached }, () => {});
  session.disconnect();
}
