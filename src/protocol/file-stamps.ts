/** Whether files are still what they were, without reading them. */
import { statSync } from "node:fs";
import type { FileStamp } from "./package-log.js";

export function stampOf(file: string): FileStamp {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) return { file };
  // A folder counts by what is in it.
  return {
    file,
    stamp: `${stats.mtimeMs} ${stats.isDirectory() ? "" : `${stats.ctimeMs} ${stats.size}`} ${stats.ino}`,
  };
}

/** The first that is not what it was. */
export function firstChanged(stamps: readonly FileStamp[]): string | undefined {
  return stamps.find(({ file, stamp }) => stampOf(file).stamp !== stamp)?.file;
}
