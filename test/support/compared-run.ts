/** One app run twice, by `node` and by the command line: what it prints, and how the process ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { within } from "./deadline.js";
import { OutputLines } from "./output-lines.js";
import { cliFile } from "./project.js";
import type { TempApp } from "./temp-app.js";

export type Runner = "node" | "unreloader";

export type Step =
  /** A line of the app, behind the one that was waited for before. */
  | { readonly wait: RegExp }
  | { readonly kill: NodeJS.Signals }
  /** A request to the app that has printed `port N`. */
  | { readonly get: string };

export interface ComparedRun {
  /** The app's own lines, in order. */
  readonly lines: readonly string[];
  /** Of the requests, in order; `cut off` for none. */
  readonly answers: readonly string[];
  /** What the supervisor has said. */
  readonly said: readonly string[];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunOptions {
  readonly steps?: Iterable<Step>;
  readonly flags?: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
}

const OURS = /^unreloader: |^ {2}(?:requests get|to retry|still serving)/;

/** Runs `entry` to the end of its process. */
export async function run(
  by: Runner,
  app: TempApp,
  entry: string,
  { steps = [], flags = [], nodeFlags = [] }: RunOptions,
): Promise<ComparedRun> {
  const { npm_lifecycle_event: _npm, NODE_TEST_CONTEXT: _test, ...env } = process.env;
  const words = by === "node" ? [entry] : [cliFile, ...flags, entry];
  const child = spawn(process.execPath, [...nodeFlags, ...words], {
    cwd: app.folder,
    env: { ...env, TMPDIR: app.scratch },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = new OutputLines();
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const answers: Promise<string>[] = [];
  try {
    let from = 0;
    for (const step of steps) {
      if ("get" in step) answers.push(ask(step.get, lines));
      else if ("kill" in step) child.kill(step.kill);
      else from = lines.all.indexOf(await lines.wait(step.wait, from), from) + 1;
    }
    const [code, signal] = await within(ended, () => `the end by ${by}; output:\n${lines}`);
    const [said, own] = [lines.matching(OURS), lines.all.filter((line) => !OURS.test(line))];
    return { lines: own, answers: await Promise.all(answers), said, code, signal };
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

async function ask(path: string, lines: OutputLines): Promise<string> {
  const [, port] = /^port (\d+)/.exec(await lines.wait(/^port \d+/)) ?? [];
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve(body)).on("error", () => resolve("cut off"));
    });
    request.on("error", () => resolve("cut off"));
  });
}
