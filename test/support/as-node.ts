/**
 * Differential tests: what an app sees of its surroundings under plain Node and under the built command line. The app says
 * it in one line, `SEEN` and JSON; one that cannot start has the code of its error instead.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { within } from "./deadline.js";
import { OutputLines } from "./output-lines.js";
import { cliFile } from "./project.js";
import { PseudoTerminal } from "./pseudo-terminal.js";
import type { TempApp } from "./temp-app.js";

export interface RunOptions {
  /** Flags of Node. */
  readonly node?: readonly string[];
  /** Flags of the supervisor. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type Mode = "node" | "reload" | "no-reload";

const SEEN = /^SEEN (.*)$/;
/** Node's code of an error, in what Node prints and in what we do. */
const FAILED = /^(?:unreloader: (?:start|reload) failed|.*(?:Error|code)\b).*$/;

/** What `entry` says; `{ failed: code }` when it does not start. */
export async function seen(app: TempApp, entry: string, mode: Mode, options: RunOptions = {}): Promise<unknown> {
  const { node = [], flags = [], env = {} } = options;
  const ours = mode === "node" ? [] : [cliFile, ...flags, ...(mode === "no-reload" ? ["--no-reload"] : [])];
  const child = spawn(process.execPath, [...node, ...ours, entry], {
    cwd: app.folder,
    env: { ...bareEnvironment(), PORT: "0", TMPDIR: app.scratch, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = new OutputLines();
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  const closed = once(child, "close");
  try {
    const said = lines.wait(SEEN);
    said.catch(() => {});
    const failed = lines.wait(/^unreloader: start failed/);
    failed.catch(() => {});
    const first = await Promise.race([said, failed, closed]);
    const text = typeof first === "string" ? SEEN.exec(first)?.[1] : undefined;
    if (text !== undefined) return JSON.parse(text);
    return { failed: lines.matching(FAILED) };
  } finally {
    child.kill("SIGTERM");
    await within(closed, () => `the end of ${mode} ${entry}:\n${lines}`).catch((error: unknown) => {
      child.kill("SIGKILL");
      throw error;
    });
  }
}

/** Where an app's stdout and stderr go. */
export type Output = "pipe" | "file" | "terminal";

/** What `main.js` has written to the file `$SEEN` when it ends, with nothing to read, or a terminal. */
export async function sweep(app: TempApp, mode: "node" | "reload", output: Output): Promise<Record<string, unknown>> {
  const written = join(app.scratch, `${mode}.json`);
  const ours = mode === "node" ? [] : [cliFile, "--exit", "--no-keys", "--quiet"];
  const command = [process.execPath, ...ours, "main.js"];
  const env = { ...bareEnvironment(), PORT: "0", TMPDIR: app.scratch, TZ: "Europe/Berlin", SEEN: written };
  const said = await (output === "terminal" ? inTerminal(command, app, env) : toFile(command, app, env, output));
  assert.ok(existsSync(written), `${mode} has seen nothing:\n${said}`);
  return JSON.parse(readFileSync(written, "utf8"));
}

async function inTerminal(command: readonly string[], app: TempApp, env: NodeJS.ProcessEnv): Promise<string> {
  await using terminal = new PseudoTerminal(command, { cwd: app.folder, env });
  await terminal.exit();
  return terminal.output;
}

async function toFile(
  [program = "", ...args]: readonly string[],
  app: TempApp,
  env: NodeJS.ProcessEnv,
  output: "pipe" | "file",
): Promise<string> {
  const log = join(app.scratch, `${basename(env.SEEN ?? "")}.log`);
  const fd = output === "file" ? openSync(log, "w") : ("pipe" as const);
  const child = spawn(program, args, { cwd: app.folder, env, stdio: ["ignore", fd, fd] });
  const lines = new OutputLines();
  if (child.stdout) lines.follow(child.stdout);
  if (child.stderr) lines.follow(child.stderr);
  if (fd !== "pipe") closeSync(fd);
  const closed = once(child, "close");
  await within(closed, () => `the end of ${args.join(" ")}:\n${lines}`).finally(() => child.kill("SIGKILL"));
  return fd === "pipe" ? `${lines}` : readFileSync(log, "utf8");
}

function bareEnvironment(): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_TEST_CONTEXT|NODE_OPTIONS|FORCE_COLOR|npm_.*)$/.test(name),
  );
  return Object.fromEntries(rest);
}
