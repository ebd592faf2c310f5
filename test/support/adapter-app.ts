/**
 * An app that registers something in a library, for tests of adapters: it is reloaded many times, and must answer with
 * the newest version each time, without an error, and without the old versions being kept.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { OutputLines } from "./output-lines.js";
import { type ServedApp, type ServeOptions, serve } from "./served-app.js";
import { TempApp } from "./temp-app.js";

/** What leaks with each reload is over every limit then, and over the ten listeners of which Node warns. */
export const RELOADS = 14;

export interface AdapterApp {
  /** Packages of the project that the app uses. */
  readonly packages: readonly string[];
  /**
   * The app: `main.js` (or `.mjs`, `.ts`), CommonJS unless named otherwise. It can use `./probe.cjs`: `watch(object)` for
   * what must be collected when its file is purged, `serve(version)`, which answers `/` with what the function `version`
   * gives, and `/alive` with the number of watched objects that are still there, and `note(text)`, whose texts `noted()`
   * gives, whatever is purged meanwhile.
   */
  readonly files: Readonly<Record<string, string>>;
  readonly entry: string;
  /** File that is edited: `version-1` in its text becomes `version-2`, and so on. */
  readonly edited: string;
  readonly options?: ServeOptions;
}

/** The tsconfig.json of apps with decorators, as their libraries ask for it; `options` are added. */
export function decoratorsTsconfig(options: object = {}): string {
  const usual = { experimentalDecorators: true, emitDecoratorMetadata: true, module: "commonjs", target: "es2022" };
  return JSON.stringify({ compilerOptions: { ...usual, esModuleInterop: true, ...options } });
}

const probe = `
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");
const KEY = Symbol.for("test.watched");
v8.setFlagsFromString("--expose-gc");
const gc = vm.runInNewContext("gc");
process[KEY] ??= [];
exports.watch = (target) => {
  process[KEY].push(new WeakRef(target));
  return target;
};
const notes = path.join(__dirname, "notes.txt");
exports.note = (text) => fs.appendFileSync(notes, text + " ");
exports.noted = () => fs.readFileSync(notes, "utf8").trim().split(" ");
exports.alive = async () => {
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
  return process[KEY].filter((one) => one.deref() !== undefined).length;
};
exports.serve = (version) => {
  http.createServer(async (request, response) => {
    try {
      response.end(String(await (request.url === "/alive" ? exports.alive() : version(request))));
    } catch (error) {
      response.statusCode = 500;
      response.end(error.stack);
    }
  }).listen(0, "127.0.0.1");
};
`;

export interface Reloaded {
  readonly served: ServedApp;
  readonly app: TempApp;
  readonly lines: OutputLines;
  /** Watched objects that are alive. */
  alive(): Promise<number>;
}

/**
 * Serves the app, calls `begin`, reloads the app `times` times and checks each answer; then `check` looks at what is left.
 */
export async function reloadManyTimes(
  { packages, files, entry, edited, options }: AdapterApp,
  times: number,
  check: (reloaded: Reloaded) => Promise<void> = async () => undefined,
  begin: (served: ServedApp) => Promise<void> = async () => undefined,
): Promise<void> {
  await using app = new TempApp({ "probe.cjs": probe, ...files }, { packages });
  // A thread in reserve costs a fifth of each of these apps, and none of them takes it.
  await using served = await serve(app, entry, { ...options, flags: [...(options?.flags ?? []), "--no-standby"] });
  const pid = served.pid;
  assert.equal(await served.text("/"), "version-1", String(served.lines));
  await begin(served);
  for (let version = 2; version <= times + 1; version++) {
    app.write(edited, app.read(edited).replaceAll(`version-${version - 1}`, `version-${version}`));
    assert.equal(await served.text("/"), `version-${version}`, String(served.lines));
  }
  // Notes of what was opened and closed: the old goes before the new comes.
  const notes = existsSync(app.path("notes.txt")) ? app.read("notes.txt").trim().split(" ") : [];
  for (const [at, note] of notes.entries()) assert.equal(note, at % 2 === 0 ? "open" : "close", notes.join(" "));
  if (notes.length > 0) assert.equal(notes.length, 2 * times + 1, "each version but the newest was closed");
  assert.equal(served.pid, pid);
  assert.deepEqual(served.lines.complaints(), [], "no reload failed, and the worker was kept");
  await check({ served, app, lines: served.lines, alive: async () => Number(await served.text("/alive")) });
}
