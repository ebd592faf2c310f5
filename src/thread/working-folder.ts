/**
 * A working folder that was removed stays the process's, without a path, also when a folder of that name is made again: no
 * thread can be started in it (Node asks for its path). So the process goes into the new one.
 */
import { statSync } from "node:fs";
import { debuglog } from "node:util";

const debug = debuglog("unreloader");

/** Does nothing as long as the folder is the one it was, or is not there. */
export function reenterWorkingFolder(): void {
  try {
    // What Node remembers of the time when it had a path.
    const folder = process.cwd();
    const now = statSync(".");
    const named = statSync(folder);
    if (now.ino !== named.ino || now.dev !== named.dev) process.chdir(folder);
  } catch (error) {
    debug("the working folder is gone: %s", error);
  }
}
