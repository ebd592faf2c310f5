/**
 * `unreloader --no-reload`: the options are worked out in a process of its own, which ends before the app begins. What that
 * takes (zod, globs, the compiler for a configuration in TypeScript) is no part of the app's memory: 15 MB on Node 20.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ResolvedOptions } from "../options/options.js";
import { runPlain } from "./run-plain.js";

const optionsProcess = fileURLToPath(new URL("./options-process.js", import.meta.url));

/** False when the options have to be worked out in this process. Sets the exit code when they do not fit. */
export async function runWithoutReloads(argv: readonly string[]): Promise<boolean> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, output } = spawnSync(process.execPath, [optionsProcess, ...argv], {
    env,
    stdio: ["inherit", "inherit", "inherit", "pipe"],
  });
  if (status !== 0) {
    process.exitCode = status ?? 1;
    return true;
  }
  const options = JSON.parse(String(output[3])) as ResolvedOptions | null;
  if (options === null) return false;
  await runPlain(options);
  return true;
}
