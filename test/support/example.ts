/** Runs the programs below examples/ as README says, each in a copy that a test may edit. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { OutputLines } from "./output-lines.js";
import { projectRoot } from "./project.js";
import { TempApp } from "./temp-app.js";

/** A copy of an example, so that the test may edit it, in a folder that finds this package by its name. */
export function copyOf(example: string, packages: readonly string[]): TempApp {
  const folder = path.join(projectRoot, "examples", example);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
  const manifest = { "package.json": `{ "name": "example", "type": "module" }\n` };
  const app = new TempApp({ ...manifest, "node_modules/.keep": "", ...files }, { packages });
  symlinkSync(projectRoot, app.path("node_modules", "unreloader"), "junction");
  return app;
}

export interface Run extends AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly lines: OutputLines;
  readonly exit: Promise<unknown[]>;
  /** Where its first server listens. */
  origin(): Promise<string>;
}

export function run(app: TempApp, args: readonly string[], variables: NodeJS.ProcessEnv = {}): Run {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: app.folder,
    env: { ...env, PORT: "0", TMPDIR: app.scratch, ...variables },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines = new OutputLines();
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  const exit = once(child, "close");
  const end = async () => {
    child.kill("SIGKILL");
    await exit;
  };
  const origin = async () => /http:\S+/.exec(await lines.wait(/listening on http:/))?.[0] ?? "";
  return { child, lines, exit, origin, [Symbol.asyncDispose]: end };
}
