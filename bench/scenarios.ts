/** What is measured. Each scenario says what its number isolates. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { BenchApp, EditTarget } from "./app-generator.js";
import { applyLoad } from "./load.js";
import type { Row } from "./results.js";
import { summarize } from "./statistics.js";
import { type Answered, diskCacheOf, RunningApp, type Subject } from "./subjects.js";

export type ScenarioName = "edit" | "start" | "load" | "recover" | "fresh";

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
const CACHE_DEADLINE_MS = 20_000;

/**
 * From the moment a save returned to the moment the new answer has arrived, with the request sent at once. All subjects
 * run at the same time, each with an app of its own, and take turns: a disturbance of the machine meets all of them.
 */
export async function measureEdits(
  subjects: readonly Subject[],
  appFor: AppFor,
  label: string,
  amount: Amount,
): Promise<Row[]> {
  const measured: Measured[] = [];
  try {
    for (const subject of subjects) {
      const app = appFor(subject);
      const running = await RunningApp.start(subject, app);
      measured.push({ subject, app, running });
      await running.untilAnswer("/");
    }
    const rows: Row[] = [];
    for (const target of TARGETS) rows.push(...(await measureTarget(measured, target, label, amount)));
    return rows;
  } finally {
    for (const { running } of measured) await running.close();
  }
}

interface Measured {
  readonly subject: Subject;
  readonly app: BenchApp;
  readonly running: RunningApp;
}

/** A process that was just restarted goes on working after its first answer: the next subject must not pay for that. */
const SETTLE_MS = 500;

async function measureTarget(
  measured: readonly Measured[],
  target: EditTarget,
  label: string,
  amount: Amount,
): Promise<Row[]> {
  const tallies = measured.map((one) => ({ ...one, took: [] as number[], stale: 0, refused: 0 }));
  // The first edit of a file is not counted: it meets code that was never run before, in every subject.
  for (const { app, subject, running } of tallies) await editOnce({ app, subject, running }, target);
  for (let round = 0; round < amount.slow; round++) {
    for (const tally of tallies) {
      await wait(SETTLE_MS);
      const turns = tally.subject.isProduct ? Math.ceil(amount.fast / amount.slow) : 1;
      for (let turn = 0; turn < turns; turn++) {
        const answered = await editOnce(tally, target);
        tally.took.push(answered.took);
        tally.stale += answered.stale;
        tally.refused += answered.refused;
      }
    }
  }
  return tallies.map(({ app, subject, took, stale, refused }) =>
    row("edit to new answer", app, label, target, subject, "ms", took, stale, refused),
  );
}

async function editOnce({ app, subject, running }: Measured, target: EditTarget): Promise<Answered> {
  await wait(PAUSE_MS);
  const value = `${target} ${Math.random()}`;
  const began = performance.now();
  app.edit(target, value);
  if (subject.reload === "restart") await running.restart();
  const answered = await running.untilAnswer(`/value/${target}`, value);
  return { ...answered, took: performance.now() - began };
}

/**
 * From the start of the process to its first answer, taking turns. unreloader is measured with an empty disk cache, which
 * is its row, and with a full one, in a row of its own.
 */
export async function measureStarts(
  subjects: readonly Subject[],
  appFor: AppFor,
  label: string,
  amount: Amount,
): Promise<Row[]> {
  const series = subjects.flatMap((subject) => {
    const app = appFor(subject);
    const one = { subject, app, name: subject.name, before: async () => {}, took: [] as number[] };
    if (!subject.isProduct) return [one];
    return [
      { ...one, before: async () => dropDiskCache(app) },
      { ...one, name: `${subject.name}, disk cache warm`, before: () => fillDiskCache(subject, app), took: [] },
    ];
  });
  for (let round = -1; round < amount.slow; round++) {
    for (const { subject, app, before, took } of series) {
      await before();
      const began = performance.now();
      const running = await RunningApp.start(subject, app);
      try {
        await running.untilAnswer("/");
        // The first start reads the files into the system's own cache.
        if (round >= 0) took.push(performance.now() - began);
      } finally {
        await running.close();
      }
    }
  }
  return series.map(({ app, name, took }) =>
    row("start of the process to first answer", app, label, "start", { name }, "ms", took, 0, 0),
  );
}

/** The cache is written some time after the first answer. */
async function fillDiskCache(subject: Subject, app: BenchApp): Promise<void> {
  if (hasCompiledModules(app)) return;
  const running = await RunningApp.start(subject, app);
  try {
    await running.untilAnswer("/");
    const began = performance.now();
    while (!hasCompiledModules(app)) {
      if (performance.now() - began > CACHE_DEADLINE_MS) throw new Error("unreloader wrote no disk cache");
      await wait(PAUSE_MS);
    }
  } finally {
    await running.close();
  }
}

/** The folder has other files long before. */
function hasCompiledModules(app: BenchApp): boolean {
  const folder = diskCacheOf(app);
  return existsSync(folder) && readdirSync(folder).some((name) => /^modules-.*\.bin$/.test(name));
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
    memory: [] as number[],
  }));
  // Round by round, so that a disturbance of the machine meets all subjects.
  for (let round = 0; round < rounds; round++) {
    for (const { subject, app, cpu, alone, together, memory } of measured) {
      const running = await RunningApp.start(subject, app);
      try {
        await running.untilAnswer("/");
        await applyLoad(running.port, { connections: 8, requests: Math.ceil(amount.requests / 4) });
        const before = await cpuOf(running);
        together.push(...(await applyLoad(running.port, { connections: 8, requests: amount.requests })));
        cpu.push(((await cpuOf(running)) - before) / amount.requests);
        alone.push(...(await applyLoad(running.port, { connections: 1, requests: Math.ceil(amount.requests / 4) })));
        memory.push(Number(await running.ask("/memory")) / 1e6);
      } finally {
        await running.close();
      }
    }
  }
  for (const { subject, app, cpu, alone, together, memory } of measured) {
    rows.push(row("cost of a request", app, label, "CPU, 8 connections", subject, "µs", cpu, 0, 0));
    rows.push(row("cost of a request", app, label, "latency, 1 connection", subject, "µs", alone, 0, 0));
    rows.push(row("cost of a request", app, label, "latency, 8 connections", subject, "µs", together, 0, 0));
    rows.push(row("cost of a request", app, label, "memory after the load", subject, "MB", memory, 0, 0));
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
