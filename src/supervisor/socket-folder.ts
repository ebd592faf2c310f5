/** The folder of the unix sockets between the front and the app's servers. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isRunning } from "./process-state.js";

const NAME = /^unreloader-(\d+)-/;

/** Makes a folder of this process's own, and removes those of processes that were killed before they could. */
export function createSocketFolder(base: string = tmpdir()): string {
  for (const name of readdirSync(base)) {
    const owner = NAME.exec(name)?.[1];
    if (owner !== undefined && !isRunning(Number(owner)))
      rmSync(path.join(base, name), { recursive: true, force: true });
  }
  return mkdtempSync(path.join(base, `unreloader-${process.pid}-`));
}
