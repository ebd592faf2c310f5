/** The ways in which a file is saved: each is over when the function returns. */
import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import type { SaveWay } from "./fuzz-cli-steps.js";
import { WHOLE_WRITERS, type WriterName, writers } from "./sync-writers.js";

export function save(file: string, text: string, way: SaveWay): void {
  switch (way) {
    case "in-place":
      writeFileSync(file, text);
      break;
    case "rename":
      writeFileSync(`${file}.tmp~`, text);
      renameSync(`${file}.tmp~`, file);
      break;
    case "two-steps":
      writeFileSync(file, "");
      writeFileSync(file, text);
      break;
    case "remove-and-create":
      rmSync(file, { force: true });
      writeFileSync(file, text);
      break;
    case "pieces": {
      const descriptor = openSync(file, "w");
      const size = Math.ceil(text.length / 5);
      for (let start = 0; start < text.length; start += size) writeSync(descriptor, text.slice(start, start + size));
      closeSync(descriptor);
      break;
    }
    default:
      // Saved elsewhere some time ago.
      writers[way](file, text, new Date(Date.now() - 90_000));
  }
}

/** Whether somebody who looks in the middle of such a save sees a file that is not whole. */
export function isSeenHalf(way: SaveWay): boolean {
  return way !== "rename" && !WHOLE_WRITERS.has(way as WriterName);
}
