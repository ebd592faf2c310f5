/** Where a project begins. */
import { existsSync } from "node:fs";
import path from "node:path";

/** The folder of the nearest package.json at or above the file's folder; without one, the file's folder. */
export function nearestPackageFolder(file: string): string {
  const start = path.dirname(file);
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "package.json"))) return folder;
    if (path.dirname(folder) === folder) return start;
  }
}
