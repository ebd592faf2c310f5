/** Runs pieces of app code in a worker behind the virtual listen. The pieces are function bodies with `require`,
 * `report(value)` and the connection `table`. */
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { PublicAddress } from "../../src/common/protocol/messages.js";
import { installVirtualListen } from "../../workers/listener/virtual-listen.js";
import type { FromWorker, RelayedAppData, ToWorker } from "./relayed-app.js";

const port = parentPort;
if (port === null) throw new Error("this file is a worker");
const { table, socketFolder } = workerData as RelayedAppData;
const words = new Int32Array(table);
const waiting = new Map<number, { resolve(address: PublicAddress): void; reject(error: Error): void }>();
let current: string | undefined;
const send = (message: FromWorker) => port.postMessage(message);

const listen = installVirtualListen({
  table: words,
  socketFolder,
  answerTimeoutMs: 5000,
  currentModule: () => current,
  clock: () => performance.now(),
  requestListen: (request) => {
    send({ type: "listenRequested", request });
    return new Promise((resolve, reject) => waiting.set(request.listenId, { resolve, reject }));
  },
  reportClosed: (listenId) => send({ type: "serverClosed", listenId }),
  reportReleased: (listenId) => send({ type: "serverReleased", listenId }),
});

const require = createRequire(import.meta.url);
const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...args: unknown[]) => Promise<unknown>;

port.on("message", async (order: ToWorker) => {
  switch (order.type) {
    case "answerListen":
      if (order.address !== undefined) waiting.get(order.listenId)?.resolve(order.address);
      else waiting.get(order.listenId)?.reject(Object.assign(new Error(order.code), { code: order.code }));
      break;
    case "run": {
      current = order.file;
      const running = new AsyncFunction("require", "report", "table", order.code)(require, report, words);
      current = undefined;
      await running;
      send({ type: "done", orderId: order.orderId });
      break;
    }
    case "release":
      listen.release(new Set(order.files));
      send({ type: "done", orderId: order.orderId });
      break;
    case "passRequests":
      listen.passRequests();
      send({ type: "done", orderId: order.orderId });
      break;
    case "sayInstead":
      listen.sayInstead(order.page);
      break;
    case "drained":
      send({ type: "done", orderId: order.orderId, value: await listen.requests.drained(order.deadlineMs) });
      break;
  }
});

function report(value: unknown): void {
  send({ type: "reported", value });
}
