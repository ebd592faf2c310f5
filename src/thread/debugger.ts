/** Reaches a thread that stands at a breakpoint: it takes no messages, only commands of the debugger's protocol. */
import { Session } from "node:inspector";

/** Node's name for the thread's file, in which each Piscina thread begins. */
const THREAD_FILE = /[\\/]piscina[\\/]/;

/**
 * Lets the app's threads go on and stop no more. A thread that is ended at a breakpoint would never end (20.19 to 26:
 * measured), and the process with it.
 */
export function resumeStoppedThreads(): void {
  const session = new Session();
  session.connect();
  let lastId = 0;
  session.on("NodeWorker.attachedToWorker", ({ params: { sessionId, workerInfo } }) => {
    if (!THREAD_FILE.test(workerInfo.url)) return;
    const send = (method: string, params?: object): void => {
      const message = JSON.stringify({ id: ++lastId, method, params });
      // The thread may be gone by now: then it has been released.
      session.post("NodeWorker.sendMessageToWorker", { sessionId, message }, () => {});
    };
    send("Debugger.enable");
    send("Debugger.setSkipAllPauses", { skip: true });
    send("Debugger.resume");
  });
  session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
}
