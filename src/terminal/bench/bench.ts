/** `unreloader bench`: what a reload of this app takes, and what a restart would have, for the same edits. */
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants as system, tmpdir } from "node:os";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { isCompiled, isImportable } from "../../common/compile/file-kind.js";
import { BENCH_START_MS } from "../../common/deadlines.js";
import { OptionError } from "../../common/errors.js";
import { isBelowPackages, shownPath } from "../../common/paths.js";
import { loadConfig } from "../../options/load-config.js";
import { cacheFolder } from "../../thread/environment.js";
import { Refused } from "../commands/find-and-ask.js";
import type { Outcome } from "../commands/outcome.js";
import { projectEntry } from "../init/project-entry.js";
import { ownLines } from "../terminal-lines.js";
import { BenchEdits } from "./bench-edits.js";
import { BenchProcess } from "./bench-process.js";
import { type BenchRound, summed } from "./bench-result.js";
import { LISTEN_PROBE } from "./listen-probe.js";
import { SupervisedApp } from "./supervised-app.js";

export interface BenchOptions {
  readonly entry: string | undefined;
  readonly root: string;
  readonly rounds: number;
  /** That are saved, as they were named; none: some that the app has loaded. */
  readonly files: readonly string[];
  readonly isJson: boolean;
}

/** So many are saved in turns. */
const FILES = 5;

export async function bench({ entry: given, root, rounds, files, isJson }: BenchOptions): Promise<Outcome> {
  const entry = await entryOf(given, root);
  const say = (text: string): void => ownLines().write(isJson ? "stderr" : "stdout", text.split("\n"));
  const shown = (file: string): string => shownPath(file, process.cwd());
  const edits = new BenchEdits(cacheFolder(root));
  const left = edits.recover();
  if (left.length > 0) say(`${left.map(shown).join(", ")}: a run that was killed had left its line there; it is gone`);
  const scratch = mkdtempSync(path.join(tmpdir(), "unreloader-bench-"));
  const restarts = new Restarts(entry, root, scratch);
  let app: SupervisedApp | undefined;
  const undo = (): void => {
    edits.restore();
    app?.kill();
    restarts.kill();
    rmSync(scratch, { recursive: true, force: true });
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    undo();
    process.exit(128 + system.signals[signal]);
  };
  process.once("exit", undo);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, interrupted);
  try {
    say(
      `starts ${shown(entry)} ${rounds + 2} times, each with all that it does at a start, on ports that the system chooses`,
    );
    await restarts.choose();
    app = new SupervisedApp(entry, root);
    const { loaded } = await app.started();
    const saved = files.length > 0 ? named(files, loaded) : spread(loaded, root);
    say(`appends a line to ${saved.map(shown).join(", ")}, and takes it away again, also when it is interrupted`);
    const done: BenchRound[] = [];
    for (let round = 0; round < rounds; round++) {
      const file = saved[round % saved.length] as string;
      edits.edit(file, round);
      const reload = await app.reloaded(file);
      const restartMs = await restarts.time();
      edits.restore();
      await app.settled();
      done.push({ file, ...reload, restartMs });
      const { reloadMs, outcome } = reload;
      say(
        `${round + 1} of ${rounds}: ${shown(file)} reload ${reloadMs.toFixed(1)} ms (${outcome}), restart ${restartMs.toFixed(1)} ms`,
      );
    }
    const facts = { root, entry, node: process.versions.node, restartBy: restarts.text, modules: loaded.length };
    return { answer: summed({ ...facts, rounds: done }), exitCode: 0 };
  } finally {
    edits.restore();
    await Promise.all([app?.end(), restarts.end()]);
    undo();
    process.off("exit", undo);
  }
}

/** Absolute. */
async function entryOf(given: string | undefined, root: string): Promise<string> {
  // One that is broken is told before anything is started.
  const options = (await loadConfig([root]))?.options as { readonly entry?: unknown } | undefined;
  if (given === undefined && typeof options?.entry === "string") return path.resolve(root, options.entry);
  return path.resolve(root, projectEntry("bench", given, root));
}

function named(files: readonly string[], loaded: readonly string[]): string[] {
  return files.map((given) => {
    const file = path.resolve(given);
    if (!loaded.includes(file)) throw new OptionError(`--file ${given}: the app has loaded no such file`);
    checkWritable(file);
    return file;
  });
}

/** From what is loaded first, and much uses, to the entry. */
function spread(loaded: readonly string[], root: string): string[] {
  const own = loaded.filter(
    (file) => file.startsWith(root + path.sep) && !isBelowPackages(file) && (isCompiled(file) || isImportable(file)),
  );
  if (own.length === 0) throw new Refused(`nothing that the app has loaded lies below ${root}`, 1);
  const count = Math.min(FILES, own.length);
  const step = count === 1 ? 0 : (own.length - 1) / (count - 1);
  const chosen = Array.from({ length: count }, (_, index) => own[Math.round(index * step)] as string);
  chosen.forEach(checkWritable);
  return chosen;
}

function checkWritable(file: string): void {
  if (attempt(() => accessSync(file, constants.W_OK) ?? true) === undefined)
    throw new OptionError(`${file} cannot be written: bench appends a line to it for a moment; name others by --file`);
}

interface Failed {
  readonly how: "late" | "ended";
  readonly lastLines: string;
}

/** Processes of the app without a supervisor, one after the other. */
class Restarts {
  readonly #entry: string;
  readonly #root: string;
  readonly #probe: string;
  #args: readonly string[] = [];
  #running: BenchProcess | undefined;
  text = "";

  constructor(entry: string, root: string, scratch: string) {
    this.#entry = entry;
    this.#root = root;
    this.#probe = path.join(scratch, "listen-probe.cjs");
    writeFileSync(this.#probe, LISTEN_PROBE);
  }

  /** By the first that it runs by: `node` alone, tsx if the project has it, and what compiles and serves it as the supervisor does. */
  async choose(): Promise<void> {
    const shown = shownPath(this.#entry, process.cwd());
    const ways: (readonly [string, readonly string[]])[] = [];
    if (!isCompiled(this.#entry) || "typescript" in process.features) ways.push([`node ${shown}`, []]);
    if (isInstalled("tsx", this.#root)) ways.push([`node --import tsx ${shown}`, ["--import", "tsx"]]);
    ways.push([`unreloader --no-reload ${shown}`, [process.argv[1] as string, "--no-reload", "--port", "0"]]);
    for (const [text, args] of ways) {
      this.text = text;
      this.#args = [...args, this.#entry];
      const took = await this.#start();
      if (typeof took === "number") return;
      if (text === ways.at(-1)?.[0]) throw this.#failed(took);
    }
  }

  /** Milliseconds from its start until it listens. */
  async time(): Promise<number> {
    const took = await this.#start();
    if (typeof took === "number") return took;
    throw this.#failed(took);
  }

  #failed({ how, lastLines }: Failed): Refused {
    const why = how === "late" ? `does not listen after ${BENCH_START_MS / 1000} s` : "ended before it listened";
    const text = `${this.text} ${why}: bench needs an app that serves`;
    return new Refused(lastLines === "" ? text : `${text}; it wrote last:\n${lastLines}`, how === "late" ? 4 : 3);
  }

  async #start(): Promise<number | Failed> {
    const started = performance.now();
    const running = new BenchProcess(["--require", this.#probe, ...this.#args], this.#root);
    this.#running = running;
    const how = await running.listening(BENCH_START_MS);
    const took = performance.now() - started;
    await running.end();
    return how === "listening" ? took : { how, lastLines: running.lastLines };
  }

  async end(): Promise<void> {
    await this.#running?.end();
  }

  kill(): void {
    this.#running?.kill();
  }
}

function isInstalled(name: string, root: string): boolean {
  for (let folder = root; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "node_modules", name, "package.json"))) return true;
    if (folder === path.dirname(folder)) return false;
  }
}
