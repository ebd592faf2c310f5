/**
 * The task that runs the app: one call, which lasts as long as this thread. What it consists of is put together in
 * assemble.ts; the session carries out the supervisor's orders. Nothing here decides: main does.
 */
import { type MessagePort, parentPort } from "node:worker_threads";
import type { BootOrder } from "../src/common/protocol/orders.js";
import { AppSession } from "./session.js";

// From the next turn on, when Piscina's `require()` of this file is over, the thread may be ended at any time.
setImmediate(() => parentPort?.postMessage("loaded"));

export default function runApp({ order, port }: { order: BootOrder; port: MessagePort }): Promise<void> {
  return new AppSession(order, port).ended;
}
