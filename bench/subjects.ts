/** What is compared: unreloader, and what people use without it. Each runs the app as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Agent, get } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AppKind, BenchApp } from "./app-generator.js";
import { endGroup, endWithUs, freePort } from "./process-groups.js";

export interface Subject {
  readonly name: string;
  /** How a change comes to be served: the subject notices by itself, or the bench kills it and starts it again. */
  readonly reload: "own" | "restart";
  /** A build of unreloader, that reloads: it has a disk cache, and takes a hundredth of the time of the others. */
  readonly isProduct?: boolean;
  /** The kind of app this subject is given when `kind` is measured. */
  appKind(kind: AppKind): AppKind;
  /** Arguments of `node`. */
  command(entry: string): readonly string[];
}

const CLI = fileURLToPath(new URL("../../lib/src/terminal/cli.js", import.meta.url));

export const unreloader = build("unreloader", CLI);

/** Another build, such as that of the commit before: what a change costs, or saves, is seen in one run. */
export function build(name: string, cli: string): Subject {
  return { name, reload: "own", isProduct: true, appKind: (kind) => kind, command: (entry) => [cli, entry] };
}

/** One process: what the launcher costs a start. */
export const withoutLauncher: Subject = {
  ...unreloader,
  name: "unreloader --no-launcher",
  command: (entry) => [CLI, "--no-launcher", entry],
};

/** Production: the app as plain Node runs it, or nearly so. */
export const withoutReloads: Subject = {
  name: "unreloader --no-reload",
  reload: "restart",
  appKind: (kind) => kind,
  command: (entry) => [CLI, "--no-reload", entry],
};

/** What a measured kind of app is compared with. TypeScript meets Node's own way, and the hardest case: no compiling. */
export function baselinesFor(kind: AppKind): Subject[] {
  const plain = [nodeWatch("node --watch", []), restart("restart of node", [])];
  if (kind !== "typescript") return plain;
  const { name, flags } = typescriptRunner();
  return [
    nodeWatch(`node --watch, ${name}`, flags),
    restart(`restart of node, ${name}`, flags),
    compiledBefore(nodeWatch("node --watch, compiled before", [])),
  ];
}

/** What people run while they develop, for the scenarios that need no compiler. */
export function watchers(): Subject[] {
  const { resolve } = createRequire(import.meta.url);
  return [
    nodeWatch("node --watch", []),
    { ...nodeWatch("nodemon", []), command: (entry) => [resolve("nodemon/bin/nodemon.js"), entry] },
    { ...nodeWatch("tsx watch", []), command: (entry) => [resolve("tsx/cli"), "watch", entry] },
  ];
}

/** The app without anything around it: what the overhead for each request is compared with. */
export function bareSubject(kind: AppKind): Subject {
  const bare = restart("node", []);
  return kind === "typescript" ? compiledBefore(bare) : bare;
}

export function isBuilt(): boolean {
  return existsSync(CLI);
}

function nodeWatch(name: string, flags: readonly string[]): Subject {
  return {
    name,
    reload: "own",
    appKind: (kind) => kind,
    command: (entry) => ["--watch", "--watch-preserve-output", ...flags, entry],
  };
}

function restart(name: string, flags: readonly string[]): Subject {
  return { name, reload: "restart", appKind: (kind) => kind, command: (entry) => [...flags, entry] };
}

function compiledBefore(subject: Subject): Subject {
  return { ...subject, appKind: (kind) => (kind === "typescript" ? "javascript" : kind) };
}

/** Node strips types by itself from 22.18 and 23.6 on; below that, tsx is what people use. */
function typescriptRunner(): { name: string; flags: readonly string[] } {
  const strips: unknown = Reflect.get(process.features, "typescript");
  if (typeof strips === "string") return { name: "types stripped", flags: [] };
  return { name: "tsx", flags: ["--import", import.meta.resolve("tsx")] };
}

/** An app that runs, and a client with one kept connection to it. */
export class RunningApp {
  readonly port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #subject: Subject;
  readonly #app: BenchApp;
  #process: ChildProcess;
  /** The end of what the process wrote to its error output, for when it does not answer. */
  #complaint = "";

  private constructor(subject: Subject, app: BenchApp, port: number) {
    this.#subject = subject;
    this.#app = app;
    this.port = port;
    this.#process = this.#spawn();
  }

  /** Starts the process; `firstAnswer` tells when it serves. */
  static async start(subject: Subject, app: BenchApp): Promise<RunningApp> {
    return new RunningApp(subject, app, await freePort());
  }

  /** Milliseconds from now until `path` is answered with `expected`; refused and old answers are asked again. */
  async untilAnswer(path: string, expected?: string, deadlineMs = DEADLINE_MS): Promise<Answered> {
    const began = performance.now();
    for (let stale = 0, refused = 0; ; ) {
      const answer = await this.ask(path, deadlineMs).catch(() => undefined);
      const took = performance.now() - began;
      if (answer === undefined) refused += 1;
      else if (expected === undefined || answer === expected) return { took, stale, refused };
      else stale += 1;
      if (took > deadlineMs) throw new Error(`${this.#subject.name} did not answer ${path}: ${this.#complaint}`);
      await wait(POLL_MS);
    }
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** One request. Rejects when the connection is refused or lost, and when the answer is no 200. */
  ask(path: string, deadlineMs = DEADLINE_MS): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get({ port: this.port, host: "127.0.0.1", path, agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
        response.on("error", reject);
      });
      request.setTimeout(deadlineMs, () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }

  /** Ends the process and starts it again, as a person or a process runner does after a save. */
  async restart(): Promise<void> {
    await this.#end();
    this.#process = this.#spawn();
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.#end();
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [...this.#subject.command(this.#app.entry)], {
      cwd: this.#app.folder,
      env: { ...process.env, PORT: String(this.port), NODE_NO_WARNINGS: "1" },
      stdio: ["ignore", "ignore", "pipe"],
      // A group of its own, so that `node --watch` cannot leave its child behind.
      detached: true,
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-2000);
    });
    endWithUs(child);
    return child;
  }

  async #end(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    endGroup(child);
    await exited;
    // The port is free once nobody answers on it: `node --watch` ends before its child does.
    while (await this.#accepts()) await wait(POLL_MS);
  }

  async #accepts(): Promise<boolean> {
    return this.ask("/").then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== "ECONNREFUSED",
    );
  }
}

export interface Answered {
  /** Milliseconds. */
  readonly took: number;
  /** Answers of the old code before the new one's. */
  readonly stale: number;
  /** Connections refused or lost before the new answer. */
  readonly refused: number;
}

const DEADLINE_MS = 60_000;
/** Between two requests to something that is not ready: short against what is measured, long enough to leave it the CPU. */
const POLL_MS = 2;

/** Where unreloader keeps what it compiled for an app. */
export function diskCacheOf(app: BenchApp): string {
  return path.join(app.folder, "node_modules", ".cache", "unreloader");
}
