/**
 * A working folder that was removed stays the process's, without a path, also when a folder of that name is made again: no
 * thread can be started in it (Node asks for its path). So the process goes into the new one, or back to where it was started.
 */
import { statSync } from "node:fs";
import { debuglog } from "node:util";

const debug = debuglog("unreloader");

/** Does nothing as long as the folder is the one it was. `started`: where the process was before the app went elsewhere. */
export function reenterWorkingFolder(started?: string): void {
  try {
    // What Node remembers of the time when it had a path.
    const folder = process.cwd();
    const now = statSync(".");
    const named = statSync(folder);
    if (now.ino !== named.ino || now.dev !== named.dev) process.chdir(folder);
  } catch (error) {
    debug("the working folder is gone: %s", error);
    if (started !== undefined) goBack(started);
  }
}

function goBack(folder: string): void {
  try {
    process.chdir(folder);
  } catch (error) {
    debug("so is the one before: %s", error);
  }
}
