/**
 * The task that runs the app: one call, which lasts as long as this thread. What it consists of is put together in
 * assemble.ts; the session carries out the supervisor's orders. Nothing here decides: main does.
 */
import type { AppTask } from "../src/common/protocol/orders.js";
import { OWN_PARENT_PORT } from "./main-thread/own-thread.js";
import { AppSession } from "./session.js";

// From the next turn on, when Piscina's `require()` of this file is over, the thread may be ended at any time.
setImmediate(() => OWN_PARENT_PORT?.postMessage("loaded"));

export default function runApp(task: AppTask): Promise<void> {
  return new AppSession(task).ended;
}
