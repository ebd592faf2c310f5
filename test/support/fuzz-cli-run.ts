/**
 * The command line's fuzzer as a program, for long runs:
 *
 *     node dist/test/support/fuzz-cli-run.js [--steps 50000] [--seed N] [--parallel 2] [--length 120]
 *         [--without hang,crash,...] [--minimize] [--keep-going] [--replay 'JSON']
 *
 * Ends with 1 when a promise was broken. Each episode's seed is the run's seed and its number.
 */
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type EpisodeResult, runEpisode } from "./fuzz-cli-episode.js";
import { minimize } from "./fuzz-cli-minimize.js";
import { failure, figures } from "./fuzz-cli-report.js";
import { chooseEpisode, type Episode, FAMILIES, type Family } from "./fuzz-cli-steps.js";
import { Random, runSeed } from "./random.js";

export interface FuzzRun {
  readonly seed: number;
  readonly steps: number;
  /** Steps of most episodes; one in twenty has ten times as many. */
  readonly length: number;
  /** Episodes that run at a time. */
  readonly parallel: number;
  readonly without: ReadonlySet<Family>;
  /** Whether episodes go on to be begun after a failure. */
  readonly keepGoing: boolean;
  /** Milliseconds after which no more episodes are begun. */
  readonly time?: number;
  readonly onFailure: (episode: Episode, result: EpisodeResult) => Promise<void> | void;
  readonly onEpisode?: (episode: Episode, result: EpisodeResult, stepsSoFar: number) => void;
}

/** Runs episodes until so many steps are done. */
export async function fuzz(run: FuzzRun): Promise<EpisodeResult[]> {
  const results: EpisodeResult[] = [];
  const end = performance.now() + (run.time ?? Number.POSITIVE_INFINITY);
  let begunSteps = 0;
  let number = 0;
  let failed = false;
  const lane = async () => {
    while (begunSteps < run.steps && (run.keepGoing || !failed) && performance.now() < end) {
      const random = new Random((run.seed + number++ * 7919) >>> 0);
      const usual = random.chance(0.05) ? run.length * 10 : random.int(Math.ceil(run.length / 2), run.length);
      const length = Math.min(usual, run.steps - begunSteps);
      begunSteps += length;
      const episode = chooseEpisode(random, length, run.without);
      const result = await runEpisode(episode);
      results.push(result);
      run.onEpisode?.(episode, result, begunSteps);
      if (result.violations.length === 0) continue;
      failed = true;
      await run.onFailure(episode, result);
    }
  };
  await Promise.all(Array.from({ length: run.parallel }, lane));
  return results;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "50000" },
      seed: { type: "string" },
      parallel: { type: "string", default: "2" },
      length: { type: "string", default: "120" },
      without: { type: "string", default: "" },
      minimize: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      replay: { type: "string" },
      /** A file that gets the failures, too. */
      failures: { type: "string" },
    },
  });
  const tell = (text: string) => {
    console.log(text);
    if (values.failures !== undefined) appendFileSync(values.failures, `${text}\n\n`);
  };
  const onFailure = async (episode: Episode, result: EpisodeResult) => {
    tell(failure(episode, result));
    const rule = result.violations[0]?.rule;
    if (!values.minimize || rule === undefined) return;
    const least = await minimize(episode, result, rule, { tell: (text) => console.log(`  ${rule}: ${text}`) });
    tell(`MINIMIZED, ${least.runs} runs: ${failure(least.episode, least.result)}`);
  };
  if (values.replay !== undefined) {
    const episode = JSON.parse(values.replay) as Episode;
    const result = await runEpisode(episode);
    console.log(result.events.join("\n"));
    console.log(figures([result]));
    if (result.violations.length > 0) await onFailure(episode, result);
    process.exitCode = result.violations.length > 0 ? 1 : 0;
    return;
  }
  const seed = values.seed === undefined ? runSeed() : Number(values.seed);
  console.log(`seed ${seed}`);
  const without = new Set(
    values.without.split(",").filter((name): name is Family => FAMILIES.includes(name as Family)),
  );
  const results = await fuzz({
    seed,
    steps: Number(values.steps),
    length: Number(values.length),
    parallel: Number(values.parallel),
    without,
    keepGoing: values["keep-going"],
    onFailure,
    onEpisode: (episode, { violations, stepsRun }, steps) =>
      console.log(
        `${steps} steps: seed ${episode.seed}, ${stepsRun} run, ${violations.map(({ rule }) => rule).join(", ") || "well"}`,
      ),
  });
  console.log(figures(results));
  process.exitCode = results.some(({ violations }) => violations.length > 0) ? 1 : 0;
}
