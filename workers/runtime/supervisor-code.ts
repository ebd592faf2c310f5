/** Which files are the supervisor's own, by where they lie. */
import path from "node:path";
import { pathToFileURL } from "node:url";

/** All of its compiled code, with a separator at the end. */
export const SUPERVISOR = path.resolve(import.meta.dirname, "../..") + path.sep;

/** What of it runs in the app's thread, as it is built and as it is installed (scripts/bundle.ts); paths and URLs. */
const IN_THREAD = ["workers", path.join("src", "common"), "chunks"].flatMap((folder) => {
  const prefix = SUPERVISOR + folder + path.sep;
  return [prefix, pathToFileURL(prefix).href];
});

/** Whether a path or `file:` URL is code of the supervisor's that runs in the app's thread. */
export function isSupervisorCode(file: string): boolean {
  return IN_THREAD.some((folder) => file.startsWith(folder));
}
