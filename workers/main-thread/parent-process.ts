/** A launcher between the process and its parent, as the app would find things without one. */
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { attempt } from "../../src/common/attempt.js";
import { replaceMethod } from "../ledger/replace.js";

/**
 * `process.ppid` is the process that has started the launcher. `parent`: as the launcher found it at its start; later only
 * Linux tells whether it has ended.
 */
export function showParentOfLauncher(parent: number): void {
  const launcher = process.ppid;
  const get = (): number => parentOf(launcher) ?? parent;
  const set = (value: unknown): void => {
    Object.defineProperty(process, "ppid", { value, writable: true, enumerable: true, configurable: true });
  };
  Object.defineProperty(process, "ppid", { get, set, enumerable: true, configurable: true });
}

/**
 * What the app sends itself again, to end by what it has heard, must not be taken for the copy of it that a terminal sends:
 * it goes the way that the first one has come. (SIGINT and SIGTERM end the app by then.)
 */
export function hangUpByLauncher(): void {
  const launcher = process.ppid;
  // What `process.kill()` calls when it has looked at its arguments.
  replaceMethod(process, "_kill", (kill) => (pid, signal) => {
    const isHangUp = pid === process.pid && signal === constants.signals.SIGHUP;
    return kill.call(process, isHangUp && process.listenerCount("SIGHUP") === 0 ? launcher : pid, signal);
  });
}

/** The name, in brackets, may contain anything; then: state, parent. */
function parentOf(process: number): number | undefined {
  const text = attempt(() => readFileSync(`/proc/${process}/stat`, "utf8"));
  return text === undefined ? undefined : Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
}
