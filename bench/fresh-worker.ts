/**
 * How soon a fresh worker answers: the app loads packages that take long, and a change takes a new thread or process. Beside
 * it the same own code without packages, which is what is left when a standby thread has them loaded already.
 */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BenchApp } from "./app-generator.js";
import type { Row } from "./results.js";
import { summarize } from "./statistics.js";
import { RunningApp, type Subject, unreloader, watchers } from "./subjects.js";

const PACKAGES = ["express", "mongoose", "typeorm", "pino", "fastify"];
/** typeorm is one of the packages that only tests need: `npm ci --prefix test/packages` installs it. */
const INSTALLED = ["../../node_modules", "../../test/packages/node_modules"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const OWN_MODULES = 20;
/** The standby thread is made when the app has been quiet for a second, and then has to load the packages. */
const QUIET_MS = 6000;

const scope = ["--scope", "worker"];

interface Contender {
  readonly subject: Subject;
  readonly packages: readonly string[];
}

function contenders(): Contender[] {
  const flagged = (name: string, flags: readonly string[]): Subject => ({
    ...unreloader,
    name,
    command: (entry) => {
      const [cli = "", ...rest] = unreloader.command(entry);
      return [cli, ...flags, ...rest];
    },
  });
  return [
    { subject: flagged("unreloader", scope), packages: PACKAGES },
    { subject: flagged("unreloader, own code alone", scope), packages: [] },
    { subject: flagged("unreloader, --no-standby", [...scope, "--no-standby"]), packages: PACKAGES },
    ...watchers()
      .slice(0, 1)
      .map((subject) => ({ subject, packages: PACKAGES })),
  ];
}

/** From the moment the save has returned to the moment the answer of the fresh worker has arrived, taking turns. */
export async function measureFreshWorkers(workFolder: string, samples: number): Promise<Row[]> {
  const measured: { subject: Subject; app: BenchApp; running: RunningApp; took: number[] }[] = [];
  try {
    for (const [index, { subject, packages }] of contenders().entries()) {
      const app = appWith(path.join(workFolder, `fresh-worker-${index}`), packages);
      const running = await RunningApp.start(subject, app);
      measured.push({ subject, app, running, took: [] });
      await running.untilAnswer("/value");
    }
    // The first of each meets files that were never read before.
    for (let sample = -1; sample < samples; sample++) {
      await wait(QUIET_MS);
      for (const { app, running, took } of measured) {
        const value = String(Math.random());
        app.edit("leaf", value);
        const answered = await running.untilAnswer("/value", value);
        if (sample >= 0) took.push(answered.took);
      }
    }
  } finally {
    for (const { running } of measured) await running.close();
  }
  return measured.map(({ subject, took }) => ({
    scenario: "save to answer of a fresh worker",
    app: `JavaScript, CommonJS, with ${PACKAGES.join(", ")}`,
    modules: OWN_MODULES + 2,
    what: "worker",
    subject: subject.name,
    unit: "ms",
    summary: summarize(took),
    stale: 0,
    refused: 0,
  }));
}

function appWith(folder: string, packages: readonly string[]): BenchApp {
  mkdirSync(path.join(folder, "node_modules"), { recursive: true });
  for (const name of packages) {
    const installed = INSTALLED.map((packages) => path.join(packages, name)).find((place) => existsSync(place));
    if (installed === undefined) throw new Error(`${name} is not installed: run npm ci --prefix test/packages`);
    symlinkSync(installed, path.join(folder, "node_modules", name), "junction");
  }
  writeFileSync(path.join(folder, "package.json"), "{}");
  const own = Array.from({ length: OWN_MODULES }, (_, index) => `own-${index}`);
  for (const name of own) {
    writeFileSync(path.join(folder, `${name}.js`), `exports.rows = Array.from({ length: 100 }, (_, n) => n * n);\n`);
  }
  const entry = path.join(folder, "main.js");
  const loads = [...packages, ...own.map((name) => `./${name}`), "./value"].map((name) => `require("${name}");`);
  writeFileSync(
    entry,
    `${loads.join("\n")}
const { createServer } = require("node:http");
createServer((request, response) => response.end(require("./value"))).listen(process.env.PORT, "127.0.0.1");
`,
  );
  const edit = (value: string): void =>
    writeFileSync(path.join(folder, "value.js"), `module.exports = ${JSON.stringify(value)};\n`);
  edit("first");
  return { kind: "commonjs", size: OWN_MODULES + 2, folder, entry, edit: (_target, value) => edit(value) };
}
