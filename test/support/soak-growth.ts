/** Runs support/soak.ts in a process of its own and asserts that neither the heap of a thread nor the process grew. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Memory } from "./soak.js";

const program = fileURLToPath(new URL("soak.js", import.meta.url));
const MB = 1_000_000;

/** Growth of what was the least in a few samples from the second tenth on, to the last few: what is compiled meanwhile is little. */
function growth(samples: readonly Memory[], part: "app" | "main"): number {
  const least = (from: number, to: number): number =>
    Math.min(...samples.slice(from, to).map((sample) => sample[part]));
  return least(7, 10) - least(2, 5);
}

/** By how much the process grows in as many samples, if it does so steadily: a heap that takes another size once is no growth. */
function steadyGrowth(samples: readonly Memory[]): number {
  const steps = samples.slice(2).map(({ rss }, index, late) => (index === 0 ? 0 : rss - (late[index - 1]?.rss ?? rss)));
  const sorted = steps.slice(1).sort((a, b) => a - b);
  return (sorted[sorted.length >> 1] ?? 0) * 5;
}

export async function assertFlat(context: TestContext, what: "found" | "missing" | "reloads", times: number) {
  const args = ["--expose-gc", "--max-old-space-size=128", program, what, `${times}`];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: MB });
  const samples = JSON.parse(stdout) as Memory[];
  for (const [tenth, sample] of samples.entries()) context.diagnostic(`${tenth}: ${JSON.stringify(sample)}`);
  // Between the two: kept texts of versions would be 8 MB, records of files 4 MB, and specifiers 8 MB.
  assert.ok(growth(samples, "app") < 3 * MB, `the heap of the app's thread grew by ${growth(samples, "app")} bytes`);
  assert.ok(growth(samples, "main") < 3 * MB, `the heap of the main thread grew by ${growth(samples, "main")} bytes`);
  assert.ok(steadyGrowth(samples) < 40 * MB, `the process grew by ${steadyGrowth(samples)} bytes`);
}
