/** The numbers of one run, as JSON and as Markdown tables. */
import os from "node:os";
import type { Summary } from "./statistics.js";

export interface Row {
  readonly scenario: string;
  readonly app: string;
  readonly modules: number;
  /** What was done: the edited file, the kind of start, the kind of load. */
  readonly what: string;
  readonly subject: string;
  readonly unit: "ms" | "µs" | "MB";
  readonly summary: Summary;
  /** Answers of old code, and refused connections, over all samples. */
  readonly stale: number;
  readonly refused: number;
}

export interface Results {
  readonly node: string;
  readonly platform: string;
  readonly cpus: string;
  readonly date: string;
  readonly rows: readonly Row[];
}

export function resultsOf(rows: readonly Row[]): Results {
  const cpus = os.cpus();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: `${cpus.length} x ${cpus[0]?.model.trim() ?? "unknown"}`,
    date: new Date().toISOString(),
    rows,
  };
}

/** One table for each scenario. The ratio says how many times as long as unreloader the subject takes. */
export function markdownOf(results: Results): string {
  const scenarios = [...new Set(results.rows.map((row) => row.scenario))];
  return [
    `Node ${results.node}, ${results.platform}, ${results.cpus}, ${results.date.slice(0, 10)}`,
    ...scenarios.flatMap((scenario) => [
      "",
      `### ${scenario}`,
      "",
      "| app | modules | what | subject | median | p95 | samples | ratio | old answers | refused |",
      "| --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
      ...results.rows.filter((row) => row.scenario === scenario).map((row) => markdownRow(row, results.rows)),
    ]),
    "",
  ].join("\n");
}

function markdownRow(row: Row, rows: readonly Row[]): string {
  const ours = rows.find(
    (other) =>
      other.subject === "unreloader" &&
      other.scenario === row.scenario &&
      other.app === row.app &&
      other.modules === row.modules &&
      other.what === row.what,
  );
  const ratio = ours ? (row.summary.median / ours.summary.median).toPrecision(3) : "";
  const cells = [
    row.app,
    row.modules,
    row.what,
    row.subject,
    `${number(row.summary.median)} ${row.unit}`,
    `${number(row.summary.p95)} ${row.unit}`,
    row.summary.count,
    ratio,
    row.stale,
    row.refused,
  ];
  return `| ${cells.join(" | ")} |`;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
