/**
 * Random apps under the built command line, random edits, traffic, crashes, hangs and ends: nobody is refused, everybody
 * is answered once, in time and by code that is new enough, the mending save mends, and nothing is left. Long runs:
 * test/support/fuzz-cli-run.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, figures } from "../support/fuzz-cli-report.js";
import { fuzz } from "../support/fuzz-cli-run.js";
import { FAMILIES, type Family } from "../support/fuzz-cli-steps.js";
import { randomSource } from "../support/random.js";
import { plainMode } from "../support/served-app.js";

const STEPS = Number(process.env.UNRELOADER_FUZZ_STEPS ?? 150);
/** No episode is begun later: a slow machine runs fewer steps. */
const TIME_MS = 120_000;
/** Families of steps that are left out. */
const WITHOUT = process.env.UNRELOADER_FUZZ_WITHOUT ?? "signal";

test(`${STEPS} random steps around the command line break none of its promises`, { skip: plainMode }, async () => {
  const { seed } = randomSource("command line");
  const failures: string[] = [];
  const without = new Set(WITHOUT.split(",").filter((name): name is Family => FAMILIES.includes(name as Family)));
  const results = await fuzz({
    seed,
    steps: STEPS,
    length: 60,
    parallel: 2,
    without,
    keepGoing: false,
    time: TIME_MS,
    onFailure: (episode, result) => void failures.push(failure(episode, result)),
  });
  console.log(figures(results).replace(/^/gm, "# "));
  assert.equal(failures.join("\n\n"), "");
  assert.ok(results.some(({ requests }) => requests > 0));
});
