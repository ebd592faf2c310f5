/** Whether this process is one that the terminal belongs to: not one that a shell has put in the background with `&` or `bg`. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { attempt } from "../common/attempt.js";

/** True when it cannot be found out. */
export function isInForeground(): boolean {
  if (process.platform === "win32") return true;
  const [group, foreground] = process.platform === "linux" ? groupsOfLinux() : groupsOfPs();
  return group === undefined || foreground === undefined || group === foreground;
}

/** The name, in brackets, may contain anything; then: state, parent, group, session, terminal, the terminal's group. */
function groupsOfLinux(): string[] {
  const text = attempt(() => readFileSync("/proc/self/stat", "utf8"));
  if (text === undefined) return [];
  const [, , group, , , foreground] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return [group ?? "", foreground ?? ""];
}

function groupsOfPs(): string[] {
  const { status, stdout } = spawnSync("ps", ["-o", "pgid=,tpgid=", "-p", String(process.pid)], { encoding: "utf8" });
  return status === 0 ? stdout.trim().split(/\s+/) : [];
}
