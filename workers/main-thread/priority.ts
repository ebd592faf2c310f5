/**
 * `os.setPriority(process.pid)` and `os.getPriority(process.pid)`, as for the process of the app. On Linux threads have
 * priorities: that of this id is the supervisor's thread. What the app's thread starts has its own.
 */
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { replaceMethod } from "../ledger/replace.js";

/** The thread that asks. */
const OWN = 0;

export function sharePriority(): void {
  const ownInPlace = (id: unknown): unknown => (id === process.pid ? OWN : id);
  replaceMethod(os, "getPriority", (get) => (id) => Reflect.apply(get, os, [ownInPlace(id)]));
  // With one argument it is the priority.
  replaceMethod(os, "setPriority", (set) => (...args) => {
    return Reflect.apply(set, os, args[1] === undefined ? args : [ownInPlace(args[0]), args[1]]);
  });
  syncBuiltinESMExports();
}
