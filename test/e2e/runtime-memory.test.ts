/** Old versions are collected: the heap stays flat over a thousand reloads. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(new URL("../support/reload-many-times.js", import.meta.url));

interface Measured {
  readonly early: number;
  readonly late: number;
  readonly alive: number;
  readonly tracked: number;
}

async function reloadManyTimes(scenario: string, reloads: number): Promise<Measured> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [
    "--expose-gc",
    "--max-old-space-size=96",
    program,
    scenario,
    `${reloads}`,
  ]);
  return JSON.parse(stdout) as Measured;
}

/** Bytes. */
const MARGIN = 1_500_000;

describe("old versions are collected", () => {
  for (const [scenario, reloads, current] of [
    ["esm", 1200, 1],
    ["commonjs", 1200, 1],
    ["failing", 800, 1],
    ["star", 800, 1],
    ["late", 800, 1],
    ["chain", 200, 51],
  ] as const) {
    test(`${reloads} reloads: ${scenario}`, async () => {
      const { early, late, alive, tracked } = await reloadManyTimes(scenario, reloads);
      assert.ok(tracked >= reloads, `${tracked} objects were tracked`);
      // The current versions, and a few that the last garbage collection may not have reached yet.
      assert.ok(alive <= current + 4, `${alive} of ${tracked} objects are alive`);
      assert.ok(late - early < MARGIN, `the heap grew from ${early} to ${late} bytes`);
    });
  }
});
