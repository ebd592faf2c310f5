/** Folders that only this user may look into. */
import { chmodSync, lstatSync, mkdirSync, type Stats } from "node:fs";

const OWNER_ONLY = 0o700;
const OTHERS = 0o077;

/**
 * Makes `folder` if it is missing. Throws Node's own error when it cannot be made, and an error with the code EACCES when
 * what is there is somebody else's, or no folder: who could change it could take the place of the app.
 */
export function ensurePrivateFolder(folder: string): void {
  const found = statsOf(folder);
  if (found === undefined) {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
    return;
  }
  if (process.platform === "win32") return;
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw Object.assign(new Error(`EACCES: ${folder} is not a folder of this user`), { code: "EACCES" });
  }
  if ((found.mode & OTHERS) !== 0) chmodSync(folder, OWNER_ONLY);
}

function statsOf(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false });
}
