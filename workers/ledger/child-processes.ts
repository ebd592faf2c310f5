/** Child processes of purged modules. One that is unref'ed is meant to live on its own, and does. */
import type { ChildProcess } from "node:child_process";
import { CHILD_END_MS } from "../../src/common/deadlines.js";

/** Ends the child; resolves when it has exited. */
export async function endChild(child: ChildProcess): Promise<void> {
  const { _handle: handle } = child as unknown as { _handle?: { hasRef?(): boolean } | null };
  if (!handle || handle.hasRef?.() === false || child.exitCode !== null || child.signalCode !== null) return;
  child.removeAllListeners();
  child.on("error", () => {});
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), CHILD_END_MS);
  await exited;
  clearTimeout(timer);
}
