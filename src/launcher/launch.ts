import { launchFlags } from "./launch-flags.js";
import { Launcher } from "./launcher.js";

/** Makes this process a launcher. False: one process is to do all. */
export function launch(): boolean {
  // A socket cannot be sent between processes there and stay open in both.
  if (process.platform === "win32") return false;
  const flags = launchFlags(process.execArgv, process.env.NODE_OPTIONS);
  if (flags === undefined) return false;
  new Launcher(flags).run();
  return true;
}
