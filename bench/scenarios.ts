/** What is measured. Each scenario says what its number isolates. */
import { rmSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { BenchApp, EditTarget } from "./app-generator.js";
import { applyLoad } from "./load.js";
import type { Row } from "./results.js";
import { summarize } from "./statistics.js";
import { diskCacheOf, RunningApp, type Subject, unreloader } from "./subjects.js";

export type ScenarioName = "edit" | "start" | "load";

/** Gives the app of the kind that a subject is measured with. */
export type AppFor = (subject: Subject) => BenchApp;

export interface Amount {
  /** Samples of unreloader, and of what takes a hundred times as long. */
  readonly fast: number;
  readonly slow: number;
  /** Requests under load. */
  readonly requests: number;
}

const TARGETS: readonly EditTarget[] = ["leaf", "middle", "entry"];
/** After an answer, before the next save: nobody types faster, and `node --watch` ignores saves that come sooner. */
const PAUSE_MS = 300;

/** From the moment a save returned to the moment the new answer has arrived, with the request sent at once. */
export async function measureEdits(subject: Subject, app: BenchApp, label: string, amount: Amount): Promise<Row[]> {
  const running = await RunningApp.start(subject, app);
  try {
    await running.untilAnswer("/");
    const rows: Row[] = [];
    for (const target of TARGETS) {
      const took: number[] = [];
      let stale = 0;
      let refused = 0;
      const samples = subject === unreloader ? amount.fast : amount.slow;
      // The first edit of a file is not counted: it meets code that was never run before, in every subject.
      for (let sample = -1; sample < samples; sample++) {
        await wait(PAUSE_MS);
        const value = `${target} ${sample} ${Math.random()}`;
        const began = performance.now();
        app.edit(target, value);
        if (subject.reload === "restart") await running.restart();
        const answered = await running.untilAnswer(`/value/${target}`, value);
        if (sample < 0) continue;
        took.push(performance.now() - began);
        stale += answered.stale;
        refused += answered.refused;
      }
      rows.push(row("edit to new answer", app, label, target, subject, "ms", took, stale, refused));
    }
    return rows;
  } finally {
    await running.close();
  }
}

/**
 * From the start of the process to its first answer. unreloader is measured with an empty disk cache, which is its row,
 * and with a full one, in a row of its own.
 */
export async function measureStarts(subject: Subject, app: BenchApp, label: string, amount: Amount): Promise<Row[]> {
  const cold = subject === unreloader ? await startTimes(subject, app, amount, () => dropDiskCache(app)) : [];
  const warm = await startTimes(subject, app, amount, () => {});
  const rowOf = (name: string, took: readonly number[]) =>
    row("start of the process to first answer", app, label, "start", { name }, "ms", took, 0, 0);
  if (cold.length === 0) return [rowOf(subject.name, warm)];
  return [rowOf(subject.name, cold), rowOf(`${subject.name}, disk cache warm`, warm)];
}

async function startTimes(subject: Subject, app: BenchApp, amount: Amount, before: () => void): Promise<number[]> {
  const took: number[] = [];
  for (let sample = -1; sample < amount.slow; sample++) {
    before();
    const began = performance.now();
    const running = await RunningApp.start(subject, app);
    try {
      await running.untilAnswer("/");
      // The first start reads the files into the system's own cache.
      if (sample >= 0) took.push(performance.now() - began);
      // Whatever is written behind the first answer, such as a cache, gets the time for it.
      await wait(PAUSE_MS);
    } finally {
      await running.close();
    }
  }
  return took;
}

function dropDiskCache(app: BenchApp): void {
  rmSync(diskCacheOf(app), { recursive: true, force: true });
}

/** CPU of the whole serving process for each request, and latency, both with tiny requests from another process. */
export async function measureLoad(
  subjects: readonly Subject[],
  appFor: AppFor,
  label: string,
  amount: Amount,
): Promise<Row[]> {
  const rows: Row[] = [];
  const rounds = 3;
  const measured = subjects.map((subject) => ({
    subject,
    app: appFor(subject),
    cpu: [] as number[],
    alone: [] as number[],
    together: [] as number[],
  }));
  // Round by round, so that a disturbance of the machine meets all subjects.
  for (let round = 0; round < rounds; round++) {
    for (const { subject, app, cpu, alone, together } of measured) {
      const running = await RunningApp.start(subject, app);
      try {
        await running.untilAnswer("/");
        await applyLoad(running.port, { connections: 8, requests: Math.ceil(amount.requests / 4) });
        const before = await cpuOf(running);
        together.push(...(await applyLoad(running.port, { connections: 8, requests: amount.requests })));
        cpu.push(((await cpuOf(running)) - before) / amount.requests);
        alone.push(...(await applyLoad(running.port, { connections: 1, requests: Math.ceil(amount.requests / 4) })));
      } finally {
        await running.close();
      }
    }
  }
  for (const { subject, app, cpu, alone, together } of measured) {
    rows.push(row("cost of a request", app, label, "CPU, 8 connections", subject, "µs", cpu, 0, 0));
    rows.push(row("cost of a request", app, label, "latency, 1 connection", subject, "µs", alone, 0, 0));
    rows.push(row("cost of a request", app, label, "latency, 8 connections", subject, "µs", together, 0, 0));
  }
  return rows;
}

/** Microseconds of CPU that the serving process has used, all its threads together. */
async function cpuOf(running: RunningApp): Promise<number> {
  const { user, system } = JSON.parse(await running.ask("/cpu")) as NodeJS.CpuUsage;
  return user + system;
}

function row(
  scenario: string,
  app: BenchApp,
  label: string,
  what: string,
  subject: Pick<Subject, "name">,
  unit: Row["unit"],
  values: readonly number[],
  stale: number,
  refused: number,
): Row {
  return {
    scenario,
    app: label,
    modules: app.size,
    what,
    subject: subject.name,
    unit,
    summary: summarize(values),
    stale,
    refused,
  };
}
