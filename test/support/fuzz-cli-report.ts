/** What a run of the command line's fuzzer prints: its figures, and a failure with what repeats it. */
import type { EpisodeResult, Recovery } from "./fuzz-cli-episode.js";
import type { Episode } from "./fuzz-cli-steps.js";

const EVENTS_SHOWN = 60;
const VIOLATIONS_SHOWN = 8;

export function figures(results: readonly EpisodeResult[]): string {
  const sum = (of: (result: EpisodeResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const lines = [
    `${results.length} episodes, ${sum((one) => one.stepsRun)} steps, ${sum((one) => one.requests)} requests`,
    `start to first answer: ${spread(results.map(({ startMs }) => startMs))}`,
    `end after the signal:  ${spread(results.flatMap(({ endMs }) => endMs ?? []))}`,
    `untroubled requests:   ${spread(results.flatMap(({ untroubled }) => [...untroubled]))}`,
    `descriptors more:      ${spread(
      results.flatMap(({ descriptors: d }) => (d ? [d[1] - d[0]] : [])),
      "",
    )}`,
    `memory more:           ${spread(
      results.flatMap(({ memory: m }) => (m ? [m[1] - m[0]] : [])),
      "MB",
    )}`,
    "from the mending save to the new code's answer:",
    ...recoveryLines(results.flatMap(({ recoveries }) => [...recoveries])),
  ];
  return lines.join("\n");
}

function recoveryLines(recoveries: readonly Recovery[]): string[] {
  const byCause = new Map<string, number[]>();
  for (const { cause, ms } of recoveries) {
    const key = cause.includes("+") ? "several at once" : cause;
    byCause.set(key, [...(byCause.get(key) ?? []), ms]);
  }
  return [...byCause].sort(([a], [b]) => (a < b ? -1 : 1)).map(([cause, all]) => `  ${cause}: ${spread(all)}`);
}

function spread(values: readonly number[], unit = "ms"): string {
  if (values.length === 0) return "none";
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return `median ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)} ${unit} (${values.length})`;
}

/** A failed episode: what was broken, what happened before, and the steps to repeat it. */
export function failure(episode: Episode, result: EpisodeResult): string {
  return [
    `seed ${episode.seed}:`,
    ...result.violations.slice(0, VIOLATIONS_SHOWN).map(({ rule, what }) => `  ${rule}: ${oneLine(what)}`),
    `events (the last ${EVENTS_SHOWN}):`,
    ...result.events.slice(-EVENTS_SHOWN).map((event) => `  ${oneLine(event)}`),
    "output of the process:",
    ...result.output.split("\n").map((line) => `  | ${line}`),
    `episode (node dist/test/support/fuzz-cli-run.js --replay 'JSON'):`,
    JSON.stringify({ ...episode, steps: episode.steps.slice(0, result.stepsRun + 1) }),
  ].join("\n");
}

function oneLine(text: string): string {
  const line = text.replace(/\s*\n\s*/g, " / ");
  return line.length > 400 ? `${line.slice(0, 400)}...` : line;
}
