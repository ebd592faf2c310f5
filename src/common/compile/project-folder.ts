/** The cache lies in the project's node_modules, which may have to be made; not the project, which may have been removed. */
import { existsSync } from "node:fs";
import path from "node:path";

const PACKAGES = `${path.sep}node_modules${path.sep}`;

/** Whether the project that `folder` lies in is still there; true for a folder outside of node_modules. */
export function hasProject(folder: string): boolean {
  const end = folder.indexOf(PACKAGES);
  return end === -1 || existsSync(folder.slice(0, end));
}
