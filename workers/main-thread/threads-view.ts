/**
 * `node:worker_threads` as the main thread of a process has it, for the app and for packages, however they get it. Node's own
 * code does not read these properties, and ours has read them before (own-thread.ts). The app's own workers have a module of
 * their own, in which nothing is changed.
 */
import { syncBuiltinESMExports } from "node:module";
import threads from "node:worker_threads";
import { replaceMethod } from "../ledger/replace.js";
import { OWN_THREAD_ID } from "./own-thread.js";

const AS_MAIN_THREAD: Readonly<Record<string, unknown>> = {
  isMainThread: true,
  parentPort: null,
  resourceLimits: {},
  threadId: 0,
  // From Node 24.6 on.
  threadName: "",
  workerData: null,
};

export function showThreadsAsMain(): void {
  for (const [name, value] of Object.entries(AS_MAIN_THREAD)) {
    if (Object.hasOwn(threads, name)) Reflect.set(threads, name, value);
  }
  // Thread 0 is itself, to whom Node refuses to send anything. (From Node 22.5 on.)
  replaceMethod(threads, "postMessageToThread", (post) => (threadId, ...args) => {
    return Reflect.apply(post, threads, [threadId === 0 ? OWN_THREAD_ID : threadId, ...args]);
  });
  syncBuiltinESMExports();
}
