/** Makes a failing episode of the command line's fuzzer short: drops steps for as long as the same rule stays broken. */
import { type EpisodeResult, runEpisode } from "./fuzz-cli-episode.js";
import type { Violation } from "./fuzz-cli-history.js";
import type { Episode, Step } from "./fuzz-cli-steps.js";

export interface Minimized {
  readonly episode: Episode;
  readonly result: EpisodeResult;
  readonly runs: number;
}

/** `attempts`: how often a shortened episode is run before it counts as one that does not fail. */
export async function minimize(
  episode: Episode,
  failed: EpisodeResult,
  rule: Violation["rule"],
  { attempts = 2, maximumRuns = 150, tell = (_: string) => {} } = {},
): Promise<Minimized> {
  let best: Minimized = { episode, result: failed, runs: 0 };
  let runs = 0;
  const fails = async (candidate: Episode): Promise<EpisodeResult | undefined> => {
    for (let attempt = 0; attempt < attempts && runs < maximumRuns; attempt++) {
      runs++;
      const result = await runEpisode(candidate);
      if (result.violations.some((violation) => violation.rule === rule)) return result;
    }
    return undefined;
  };
  const take = async (candidate: Episode): Promise<boolean> => {
    const result = await fails(candidate);
    if (result === undefined) return false;
    best = { episode: candidate, result, runs };
    tell(`${candidate.steps.length} steps after ${runs} runs`);
    return true;
  };
  await take({ ...episode, steps: episode.steps.slice(0, failed.stepsRun + 1) });
  for (let size = Math.ceil(best.episode.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = best.episode.steps.length - size; start > -size && runs < maximumRuns; start -= size) {
      const from = Math.max(0, start);
      const steps: Step[] = [...best.episode.steps];
      steps.splice(from, start + size - from);
      await take({ ...best.episode, steps });
    }
  }
  return { ...best, runs };
}
