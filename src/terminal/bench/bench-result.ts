/** What a measurement has given, and its lines. Pure. */
import { shownPath } from "../../common/paths.js";

export interface BenchRound {
  /** Absolute path of the file that was saved. */
  readonly file: string;
  /** Of the kind of edit, as in docs/edits.md. */
  readonly code: string;
  readonly outcome: string;
  /** Modules that were evaluated. */
  readonly evaluated: number;
  /** From the save until `wait` says that it runs. */
  readonly reloadMs: number;
  /** From the start of a process until it listens. */
  readonly restartMs: number;
}

export interface BenchResult {
  readonly root: string;
  readonly entry: string;
  readonly node: string;
  /** The command line of a restart. */
  readonly restartBy: string;
  readonly modules: number;
  readonly rounds: readonly BenchRound[];
  readonly reloadMs: number;
  readonly restartMs: number;
  /** Median of the rounds' ratios: how many times as long as a reload a restart takes. */
  readonly ratio: number;
}

export function summed(facts: Omit<BenchResult, "reloadMs" | "restartMs" | "ratio">): BenchResult {
  return { ...facts, ...medians(facts.rounds) };
}

export function medians(rounds: readonly BenchRound[]): Pick<BenchResult, "reloadMs" | "restartMs" | "ratio"> {
  return {
    reloadMs: median(rounds.map(({ reloadMs }) => reloadMs)),
    restartMs: median(rounds.map(({ restartMs }) => restartMs)),
    ratio: median(rounds.map(({ reloadMs, restartMs }) => restartMs / reloadMs)),
  };
}

export function benchLines(result: BenchResult, cwd: string): string[] {
  const { entry, node, restartBy, modules, rounds, ratio } = result;
  const files = [...new Set(rounds.map(({ file }) => file))];
  const rows = files.map((file) => {
    const own = rounds.filter((round) => round.file === file);
    const how = [...new Set(own.map(({ outcome, code }) => `${outcome} (${code})`))].join(", ");
    const evaluated = Math.max(...own.map((round) => round.evaluated));
    return row(shownPath(file, cwd), medians(own), `${evaluated} of ${modules} modules, ${how}`);
  });
  return [
    `${shownPath(entry, cwd)} on Node.js ${node}, ${rounds.length} round${rounds.length === 1 ? "" : "s"}, medians`,
    `  ${"saved".padEnd(WIDTH)} ${["reload", "restart", "ratio"].map((head) => head.padStart(10)).join(" ")}`,
    ...rows,
    row("all", result, ""),
    `a restart takes ${shown(ratio)} times as long as a reload`,
    "  reload   from the save until `unreloader wait` says that it runs",
    `  restart  from the start of \`${restartBy}\` until it listens, without what it takes to notice the save and to end the old process`,
  ];
}

const WIDTH = 32;

function row(
  name: string,
  { reloadMs, restartMs, ratio }: Pick<BenchResult, "reloadMs" | "restartMs" | "ratio">,
  how: string,
): string {
  const numbers = [`${shown(reloadMs)} ms`, `${shown(restartMs)} ms`, shown(ratio)];
  return `  ${name.padEnd(WIDTH)} ${numbers.map((text) => text.padStart(10)).join(" ")}   ${how}`.trimEnd();
}

function shown(value: number): string {
  return value.toFixed(1);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length / 2;
  const [below, above] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((below ?? Number.NaN) + (above ?? Number.NaN)) / 2;
}
