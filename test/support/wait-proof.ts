/**
 * Compares the verdict of `wait` with a fresh process, by hand, for many random edits: `npm run wait-proof -- [EDITS] [SEED]`.
 * Each program is edited for a while, then the next one of another dialect is drawn. `wait` is asked over the supervisor's socket, as
 * the command does, without starting a process for it; the fresh process is another one for each step.
 */
import { summarize } from "../../bench/statistics.js";
import { dialects } from "./fuzz-program.js";
import { fuzz } from "./fuzz-run.js";
import { waits, waitTimes } from "./fuzz-wait.js";

/** Steps for each program; a step is one to four edits that are saved together. */
const STEPS = 200;

const [edits = 10_000, given = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);
process.env.UNRELOADER_FUZZ_WAIT = "all";
console.log(`${edits} edits, seed ${given}`);
for (let index = 0; waits.edits < edits; index++) {
  const dialect = dialects[index % dialects.length] ?? "esm";
  await fuzz(dialect, given + index, STEPS, true);
  console.log(`${dialect} ${given + index}: ${JSON.stringify(waits)} ${times()}`);
}
console.log(`no wrong verdict in ${waits.total}`);

function times(): string {
  const of = (values: readonly number[]) => {
    const { median, p95 } = summarize(values);
    return `${[median, p95, Math.max(...values)].map((ms) => ms.toFixed(1)).join("/")} ms`;
  };
  return `median/p95/most: ${of(waitTimes.whole)}, above the reload ${of(waitTimes.above)}`;
}
