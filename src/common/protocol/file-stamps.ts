/** Whether files are still what they were, without reading them. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import type { FileStamp } from "./package-log.js";

/** In the place of a stamp: the file was written at about the time at which it was read. It fits nothing. */
export const TOO_YOUNG = "too young";

export function stampOf(file: string): FileStamp {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) return { file };
  if (stats.isDirectory()) return { file, stamp: namesIn(file) };
  return { file, stamp: `${stats.mtimeMs} ${stats.ctimeMs} ${stats.size} ${stats.ino}` };
}

/** A folder counts by the names in it; tools keep their caches in hidden ones, in node_modules too. */
function namesIn(folder: string): string {
  const names = readdirSync(folder).filter((name) => !name.startsWith("."));
  return createHash("sha1").update(names.sort().join("\n")).digest("hex");
}

/** The first that is not what it was. */
export function firstChanged(stamps: readonly FileStamp[]): string | undefined {
  return stamps.find(({ file, stamp }) => stampOf(file).stamp !== stamp)?.file;
}
