/**
 * How soon the save that mends a broken app is answered. The app is as small as can be, so that the number isolates what
 * the tool does: notice the save, get rid of what is stuck, start again.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { BenchApp } from "./app-generator.js";
import type { Row } from "./results.js";
import { summarize } from "./statistics.js";
import { RunningApp, type Subject } from "./subjects.js";

/** How the app is broken: by a request, or by what a save adds to a module that is evaluated. */
interface Breakage {
  readonly name: string;
  readonly request?: string;
  readonly code?: string;
}

const BREAKAGES: readonly Breakage[] = [
  { name: "endless loop in a handler", request: "/loop" },
  { name: "endless loop in an edit", code: "for (;;);" },
  { name: "await that never settles, in a handler", request: "/never" },
  { name: "await that never settles, in an edit", code: "await new Promise(() => {});" },
  { name: "crash in a handler", request: "/crash" },
  { name: "crash in an edit", code: 'setTimeout(() => { throw new Error("crashed"); }, 20);' },
  { name: "throw in an edit", code: 'throw new Error("thrown");' },
];

/** Between what breaks the app and the mending save: everyone is as stuck as it gets, and nobody types faster. */
const BROKEN_MS = 1500;
/** After a recovery: the next subject must not pay for what a restarted process still does. */
const SETTLE_MS = 1000;
/** What has not answered by then counts with this time. */
const DEADLINE_MS = 20_000;

interface Measured {
  readonly subject: Subject;
  readonly app: BenchApp;
  readonly running: RunningApp;
}

/**
 * From the moment the mending save has returned to the moment the answer of the new code has arrived, taking turns. `tell`
 * gets the rows of each breakage when they are there.
 */
export async function measureRecoveries(
  subjects: readonly Subject[],
  workFolder: string,
  samples: number,
  tell: (rows: Row[]) => Row[],
): Promise<Row[]> {
  const measured: Measured[] = [];
  try {
    for (const [index, subject] of subjects.entries()) {
      const app = fragileApp(path.join(workFolder, `recovery-${index}`));
      const running = await RunningApp.start(subject, app);
      measured.push({ subject, app, running });
      await running.untilAnswer("/value");
    }
    const rows: Row[] = [];
    for (const breakage of BREAKAGES) rows.push(...tell(await measureBreakage(measured, breakage, samples)));
    return rows;
  } finally {
    for (const { running } of measured) await running.close();
  }
}

async function measureBreakage(measured: readonly Measured[], breakage: Breakage, samples: number): Promise<Row[]> {
  const tallies = measured.map((one) => ({ ...one, took: [] as number[], stale: 0, refused: 0 }));
  for (let sample = 0; sample < samples; sample++) {
    for (const tally of tallies) {
      await wait(SETTLE_MS);
      const { took, stale, refused } = await breakAndMend(tally, breakage);
      tally.took.push(took);
      tally.stale += stale;
      tally.refused += refused;
    }
  }
  return tallies.map(({ subject, took, stale, refused }) => ({
    scenario: "mending save to new answer",
    app: "JavaScript, ES modules",
    modules: 2,
    what: breakage.name,
    subject: subject.name,
    unit: "ms",
    summary: summarize(took),
    stale,
    refused,
  }));
}

async function breakAndMend({ app, running }: Measured, breakage: Breakage) {
  const stuck = breakage.request === undefined ? undefined : get(running.url(breakage.request));
  stuck?.on("error", () => {});
  stuck?.on("response", (response) => response.resume().on("error", () => {}));
  if (breakage.code !== undefined) writeValue(app.folder, "broken", breakage.code);
  await wait(BROKEN_MS);
  const value = String(Math.random());
  app.edit("leaf", value);
  try {
    return await running.untilAnswer("/value", value, DEADLINE_MS);
  } catch (error) {
    console.error(`${breakage.name}: ${error instanceof Error ? error.message : error}`);
    await running.restart();
    await running.untilAnswer("/value", value);
    return { took: DEADLINE_MS, stale: 0, refused: 0 };
  } finally {
    stuck?.destroy();
  }
}

function fragileApp(folder: string): BenchApp {
  mkdirSync(folder, { recursive: true });
  const entry = path.join(folder, "main.js");
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(
    entry,
    `import { createServer } from "node:http";
import { value } from "./value.js";
createServer((request, response) => {
  if (request.url === "/loop") for (;;);
  if (request.url === "/never") return;
  if (request.url === "/crash") return setImmediate(() => { throw new Error("crashed"); });
  response.end(value);
}).listen(process.env.PORT, "127.0.0.1");
`,
  );
  writeValue(folder, "first");
  return { kind: "javascript", size: 2, folder, entry, edit: (_target, value) => writeValue(folder, value) };
}

function writeValue(folder: string, value: string, code = ""): void {
  writeFileSync(path.join(folder, "value.js"), `export const value = ${JSON.stringify(value)};\n${code}\n`);
}
