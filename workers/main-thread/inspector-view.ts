/** A main thread has none that it could connect to: `connectToMainThread()` would reach the supervisor's. */
import inspector from "node:inspector";
import { replaceMethod } from "../ledger/replace.js";
import { nodeError } from "../runtime/module-errors.js";

export function hideMainInspector(): void {
  replaceMethod(inspector.Session.prototype, "connectToMainThread", () => () => {
    throw nodeError("ERR_INSPECTOR_NOT_WORKER", "Current thread is not a worker");
  });
}
