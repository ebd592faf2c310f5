/** The app as a process: under the product, whose events are read, or fresh and plain, as what it is compared with. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { SupervisorEvent } from "../../src/reports/report.js";
import { endGroup, endWithUs } from "../process-groups.js";
import { type Answer, ask, neutral, type Request } from "./answers.js";

/** How the plain process runs the app. */
export type PlainRunner = "node" | "tsx" | "no-reload";

export interface AppOptions {
  /** Relative to the folder. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly startMs: number;
  readonly answerMs: number;
}

/** Flat, as a line of JSON has it. */
export type ToldEvent = {
  [E in SupervisorEvent as E["event"]]: { readonly event: E["event"] } & E["report"];
}[SupervisorEvent["event"]];

export type Started = { readonly app: AppProcess } | { readonly failure: string };

const CLI = fileURLToPath(new URL("../../../lib/src/terminal/cli.js", import.meta.url));
const anywhere = new URL("listen-anywhere.js", import.meta.url).href;
/** So many of the last lines are shown when something fails. */
const SHOWN_LINES = 20;
const END_MS = 15_000;
/** How a line of JSON that tells an event begins; the others are the app's. */
const EVENT_LINE = /^\{"time":"[^"]*","level":"\w+","id":"[^"]*","event":"/;
/** From an answer that has not come to the end of a process that has crashed. */
const CRASH_MS = 1000;

export class AppProcess {
  readonly folder: string;
  readonly #options: AppOptions;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #lines: string[] = [];
  #events: ToldEvent[] = [];
  #port = 0;
  #modules: readonly string[] = [];
  /** The last request has got no answer. */
  #isSilent = false;

  private constructor(folder: string, options: AppOptions, words: readonly string[]) {
    this.folder = folder;
    this.#options = options;
    this.#child = spawn(process.execPath, words, {
      cwd: folder,
      env: { ...cleanEnvironment(), ...options.env },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
    endWithUs(this.#child);
    this.#exit = once(this.#child, "exit");
    const [, stdout, stderr] = this.#child.stdio;
    for (const stream of [stdout, stderr]) onLine(stream as Readable, (line) => this.#take(line));
  }

  /** Under the product. */
  static product(folder: string, options: AppOptions, flags: readonly string[]): Promise<Started> {
    // Lines of level debug say of saves, too, that they have changed nothing.
    const words = [CLI, "--log-format", "json", "--port", "0", ...flags, options.entry];
    return new AppProcess(folder, options, words).#started();
  }

  /** A plain process, as a restart would give. */
  static fresh(folder: string, options: AppOptions, runner: PlainRunner): Promise<Started> {
    const runs = { node: [], tsx: ["--import", tsxOf()], "no-reload": [CLI, "--no-reload"] }[runner];
    return new AppProcess(folder, options, ["--import", anywhere, ...runs, options.entry]).#started();
  }

  /** An answer without what the app's port and folder make of it. */
  async ask(request: Request): Promise<Answer> {
    const answer = await ask(this.#port, request, this.#options.answerMs);
    this.#isSilent = "failure" in answer;
    return neutral(answer, { port: this.#port, folder: this.folder });
  }

  /** The product's events since it was last asked. What it has told before an answer is there when the answer is. */
  async events(): Promise<ToldEvent[]> {
    // It is in the pipe: two turns of the event loop read it.
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Of a fresh process: the app's own modules that were loaded when it listened, relative to the folder. */
  get modules(): readonly string[] {
    return this.#modules;
  }

  /** Whether it has ended by itself: known a moment after the answer that it has not given. */
  get hasCrashed(): Promise<boolean> {
    if (!this.#isSilent) return Promise.resolve(this.#hasEnded);
    return Promise.race([this.#exit.then(() => true), delay(CRASH_MS, false, { ref: false })]);
  }

  get lastLines(): string {
    return this.#lines.slice(-SHOWN_LINES).join("\n");
  }

  /** False: it did not end by itself, and was killed. */
  async end(): Promise<boolean> {
    const killed = setTimeout(() => endGroup(this.#child), END_MS);
    try {
      if (!this.#hasEnded) {
        const exit = once(this.#child, "exit");
        this.#child.kill("SIGTERM");
        await exit;
      }
      return this.#child.signalCode !== "SIGKILL";
    } finally {
      clearTimeout(killed);
      endGroup(this.#child);
    }
  }

  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    const exit = once(this.#child, "exit");
    endGroup(this.#child);
    await exit;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #started(): Promise<Started> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`does not listen within ${this.#options.startMs} ms`), this.#options.startMs);
    });
    const ended = once(this.#child, "close").then(([code, signal]) => `ended with ${signal ?? code}`);
    const report = this.#child.stdio[3] as Readable;
    const port = new Promise<number>((resolve) => {
      onLine(report, (line) => {
        const told = JSON.parse(line) as { modules: readonly string[]; port: number };
        this.#modules = told.modules;
        resolve(told.port);
      });
      this.#listening = resolve;
    });
    const first = await Promise.race([port, ended, late]).finally(() => clearTimeout(timer));
    if (typeof first === "number") {
      this.#port = first;
      return { app: this };
    }
    await this.kill();
    return { failure: `${first}\n${this.lastLines}` };
  }

  #listening: (port: number) => void = () => {};

  #take(line: string): void {
    if (!EVENT_LINE.test(line)) {
      this.#lines.push(line);
      return;
    }
    const event = JSON.parse(line) as ToldEvent;
    this.#events.push(event);
    if (event.event === "listening") this.#listening(event.port);
    if (event.event === "failed") this.#lines.push(event.error.message);
  }
}

function onLine(stream: Readable, take: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
  stream.on("end", () => {
    if (rest !== "") take(rest);
  });
}

/** Without what npm and runners of tests have put there. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(NODE_TEST_CONTEXT|NODE_OPTIONS|npm_.*)$/.test(name));
  return Object.fromEntries(kept);
}

function tsxOf(): string {
  return import.meta.resolve("tsx");
}
