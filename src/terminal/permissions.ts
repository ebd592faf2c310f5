/** What Node forbids to a process that was started with `--permission`, and an app that is reloaded needs. */
import os from "node:os";
import { NODE_MAJOR } from "../common/node-version.js";

interface Permission {
  has(scope: string, reference?: string): boolean;
}

/** Flags of Node that are missing; empty: all is allowed. */
export function missingPermissions(): string[] {
  const { permission } = process as { permission?: Permission };
  if (permission === undefined) return [];
  const needed = {
    "--allow-worker": permission.has("worker"),
    // Node 20 has the flag, and does not say whether it was given.
    "--allow-addons": NODE_MAJOR < 22 || permission.has("addon"),
    // Unix sockets as well as the port; older Nodes forbid neither.
    "--allow-net": !process.allowedNodeEnvironmentFlags.has("--allow-net") || permission.has("net"),
    [`--allow-fs-read=${process.cwd()}`]: permission.has("fs.read", process.cwd()),
    [`--allow-fs-write=${os.tmpdir()}`]: permission.has("fs.write", os.tmpdir()),
  };
  return Object.entries(needed).flatMap(([flag, isAllowed]) => (isAllowed ? [] : [flag]));
}
