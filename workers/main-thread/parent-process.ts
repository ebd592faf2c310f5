/** `process.ppid` behind a launcher: the process that has started the launcher, as the app would find it without one. */
import { readFileSync } from "node:fs";
import { attempt } from "../../src/common/attempt.js";

/** `parent`: as the launcher found it at its start; later only Linux tells whether it has ended. */
export function showParentOfLauncher(parent: number): void {
  const launcher = process.ppid;
  const get = (): number => parentOf(launcher) ?? parent;
  const set = (value: unknown): void => {
    Object.defineProperty(process, "ppid", { value, writable: true, enumerable: true, configurable: true });
  };
  Object.defineProperty(process, "ppid", { get, set, enumerable: true, configurable: true });
}

/** The name, in brackets, may contain anything; then: state, parent. */
function parentOf(process: number): number | undefined {
  const text = attempt(() => readFileSync(`/proc/${process}/stat`, "utf8"));
  return text === undefined ? undefined : Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
}
