/**
 * An app under the built command line, as a person would start it. With UNRELOADER_TEST_MODE=plain the same app runs
 * under plain Node instead, and is started anew before the first request after an edit: what a test expects of answers
 * must hold there too, or the test is wrong.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { DEADLINE_MS, within } from "./deadline.js";
import { type Answer, type Ask, KeptConnection, requestOnce } from "./http-client.js";
import { OutputLines } from "./output-lines.js";
import { cliFile } from "./project.js";
import type { TempApp } from "./temp-app.js";

export interface ServeOptions {
  /** Flags of Node. */
  readonly node?: readonly string[];
  /** Flags of the supervisor. */
  readonly flags?: readonly string[];
  /** Arguments of the app, after `--`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The line that says that the port is open, when flags make it another than usual. */
  readonly announced?: RegExp;
  /** With a launcher: then `pid` is that of the launcher, and not the app's. */
  readonly launcher?: boolean;
  /** Open descriptors that the process may have; else as many as the machine gives. */
  readonly descriptors?: number;
}

export const plainMode = process.env.UNRELOADER_TEST_MODE === "plain";

const LISTENING = /listening on (https?:\/\/\S+:\d+)/;
const announcer = new URL("announce-listening.js", import.meta.url).href;

type Child = ChildProcessByStdio<null, Readable, Readable>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Starts `entry` (relative to the app's folder) and resolves once its port is open, or, plain, once it has failed. */
export async function serve(app: TempApp, entry: string, options: ServeOptions = {}): Promise<ServedApp> {
  const served = new ServedApp(app, entry, options);
  try {
    await served.start();
  } catch (error) {
    await served.stop("SIGKILL");
    throw error;
  }
  return served;
}

/** Runs the command line to its end: for what exits by itself. */
export async function runToExit(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  node: readonly string[] = [],
): Promise<Exit & { lines: OutputLines }> {
  const lines = new OutputLines();
  const child = spawn(process.execPath, [...node, cliFile, ...args], {
    cwd: folder,
    env: cleanEnvironment(env),
    stdio,
  });
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  try {
    const [code, signal] = await within(once(child, "close"), () => `the exit; output:\n${lines}`);
    return { code, signal, lines };
  } finally {
    child.kill("SIGKILL");
  }
}

export class ServedApp implements AsyncDisposable {
  readonly lines = new OutputLines();
  /** True when edits are taken over in the same process; false under plain Node. */
  readonly inPlace = !plainMode;
  readonly #app: TempApp;
  readonly #entry: string;
  readonly #options: ServeOptions;
  #child: Child | undefined;
  #exit: Promise<Exit> | undefined;
  #origin: string | undefined;
  #kept: KeptConnection | undefined;
  #runningRevision = -1;

  constructor(app: TempApp, entry: string, options: ServeOptions) {
    this.#app = app;
    this.#entry = entry;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The first public address, as printed. */
  get origin(): string {
    if (this.#origin === undefined) throw new Error(`no port was opened; output:\n${this.lines}`);
    return this.#origin;
  }

  get port(): number {
    return Number(new URL(this.origin).port);
  }

  /** Connections that `get` needed so far. */
  get connectionsOpened(): number {
    return this.#kept?.opened ?? 0;
  }

  /** Asks on the one kept connection. */
  async get(path: string, ask?: Ask): Promise<Answer> {
    if (await this.#failedToStart()) return this.#startFailure();
    this.#kept ??= new KeptConnection(this.origin);
    return this.#explained(this.#kept.request(path, ask));
  }

  /** Asks on a new connection. */
  async getOnce(path: string, ask?: Ask): Promise<Answer> {
    if (await this.#failedToStart()) return this.#startFailure();
    return this.#explained(requestOnce(this.origin + path, ask));
  }

  /** The body of a 200 as JSON; anything else is an error that shows the answer and the output. */
  async json<T>(path: string): Promise<T> {
    const answer = await this.get(path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}\noutput:\n${this.lines}`);
    return JSON.parse(answer.body) as T;
  }

  /** The body of a 200 as text. */
  async text(path: string): Promise<string> {
    const answer = await this.get(path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}\noutput:\n${this.lines}`);
    return answer.body;
  }

  async start(): Promise<void> {
    const child = this.#spawn();
    this.#child = child;
    this.#runningRevision = this.#app.revision;
    const since = this.lines.all.length;
    this.lines.follow(child.stdout);
    this.lines.follow(child.stderr);
    const exit = once(child, "close").then(([code, signal]): Exit => ({ code, signal }));
    this.#exit = exit;
    const listening = this.lines.wait(this.#options.announced ?? LISTENING, since);
    listening.catch(() => {});
    const first = await Promise.race([listening, exit]);
    if (typeof first === "string") this.#origin = LISTENING.exec(first)?.[1];
    else if (this.inPlace) throw new Error(`ended with ${JSON.stringify(first)} before listening:\n${this.lines}`);
  }

  /** Ends the process and resolves with how it ended; again: the same answer. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    this.#kept?.close();
    this.#kept = undefined;
    if (this.#child === undefined || this.#exit === undefined) return { code: null, signal: null };
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    try {
      return await within(this.#exit, () => `the exit after ${signal}; output:\n${this.lines}`, DEADLINE_MS);
    } finally {
      this.#child.kill("SIGKILL");
    }
  }

  /** Stops the process, which must end by itself, with code 0, and leave no file in its temporary folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    const exit = await this.stop();
    if (!this.inPlace) return;
    if (exit.code !== 0) throw new Error(`ended with ${JSON.stringify(exit)}; output:\n${this.lines}`);
    const left = this.#app.leftInScratch();
    if (left.length > 0) throw new Error(`temporary files were left: ${left.join(", ")}`);
    const leaks = this.lines.matching(/MaxListenersExceededWarning/);
    if (leaks.length > 0) throw new Error(leaks.join("\n"));
  }

  /** A failed request is told together with what the process printed. */
  async #explained(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw new Error(`the request failed: ${error}; output:\n${this.lines}`, { cause: error });
    }
  }

  async #failedToStart(): Promise<boolean> {
    if (this.inPlace) return false;
    if (this.#runningRevision !== this.#app.revision) {
      await this.stop("SIGKILL");
      this.lines.all.length = 0;
      await this.start();
    }
    return this.#child?.exitCode !== null;
  }

  #startFailure(): Answer {
    return { status: 500, headers: {}, body: this.lines.toString() };
  }

  #spawn(): Child {
    const { node = [], args = [], env = {}, descriptors, launcher = false } = this.#options;
    const flags = [...(launcher ? [] : ["--no-launcher"]), ...(this.#options.flags ?? [])];
    const command = this.inPlace
      ? [...node, cliFile, ...flags, this.#entry, ...(args.length > 0 ? ["--", ...args] : [])]
      : [...node, "--import", announcer, ...typeScriptLoader(this.#entry), this.#entry, ...args];
    const port = this.#origin === undefined ? "0" : String(this.port);
    const [program, ...words] =
      descriptors === undefined
        ? [process.execPath, ...command]
        : ["/bin/sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", process.execPath, ...command];
    const child = spawn(program ?? process.execPath, words, {
      cwd: this.#app.folder,
      env: cleanEnvironment({ PORT: port, TMPDIR: this.#app.scratch, ...env }),
      stdio,
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("close", () => process.off("exit", kill));
    return child;
  }
}

const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];

/** The environment without what the test runner put there for its own processes. */
/** Without what the test runner and npm have put there: whoever runs under npm gets signals twice, for example. */
export function cleanEnvironment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_TEST_CONTEXT|NODE_OPTIONS|FORCE_COLOR|npm_.*)$/.test(name),
  );
  return { ...Object.fromEntries(rest), ...more };
}

function typeScriptLoader(entry: string): string[] {
  return /\.([cm]?ts|[jt]sx)$/.test(entry) ? ["--import", import.meta.resolve("tsx")] : [];
}
