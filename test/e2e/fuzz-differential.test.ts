/**
 * After any sequence of edits the app answers as a freshly started one. A short run by default; for a long one set
 * UNRELOADER_EDITS (steps for each dialect), to repeat one set UNRELOADER_SEED, for one dialect UNRELOADER_DIALECT;
 * UNRELOADER_FUZZ_WAIT=all asks `wait` for its verdict after each step, and not after every other one, =off never;
 * UNRELOADER_FUZZ_SCOPE=function has bodies of functions swapped (`--scope`);
 * UNRELOADER_FUZZ_READS=off leaves files alone that the app reads or lists instead of importing them.
 */
import { test } from "node:test";
import { dialects } from "../support/fuzz-program.js";
import { fuzz } from "../support/fuzz-run.js";
import { waits } from "../support/fuzz-wait.js";
import { runSeed } from "../support/random.js";

const steps = Number(process.env.UNRELOADER_EDITS ?? 20);
const reads = process.env.UNRELOADER_FUZZ_READS !== "off";
const only = process.env.UNRELOADER_DIALECT;

for (const dialect of dialects.filter((name) => only === undefined || name === only)) {
  test(`${dialect}: after each edit the answers are those of a fresh process`, async (t) => {
    const seed = runSeed();
    t.diagnostic(`UNRELOADER_SEED=${seed} UNRELOADER_EDITS=${steps}`);
    await fuzz(dialect, seed, steps, reads);
    t.diagnostic(`wait: ${JSON.stringify(waits)}`);
  });
}
