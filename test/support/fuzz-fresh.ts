/**
 * The answers of a fresh process. Processes are started ahead and wait for their entry, so that a check costs little
 * more than the evaluation of the app.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.js";

const program = fileURLToPath(new URL("fuzz-fresh-process.js", import.meta.url));

/** `answers` holds the body of each route; `failure` is the message with which the entry failed. */
export type FreshAnswers = { readonly answers: readonly string[] } | { readonly failure: string };

export interface FreshOrder {
  readonly entry: string;
  readonly routes: readonly string[];
}

export class FreshProcesses implements AsyncDisposable {
  #next: ChildProcess | undefined;

  async ask(order: FreshOrder): Promise<FreshAnswers> {
    const child = this.#next ?? startProcess();
    this.#next = startProcess();
    try {
      const answer = Promise.race([
        once(child, "message").then(([message]) => message as FreshAnswers),
        once(child, "exit").then(([code]): FreshAnswers => ({ failure: `exit ${code}` })),
      ]);
      child.send(order);
      return await within(answer, "the answers of a fresh process");
    } finally {
      child.kill("SIGKILL");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#next?.kill("SIGKILL");
    this.#next = undefined;
  }
}

function startProcess(): ChildProcess {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return fork(program, { env, stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: ["--no-warnings"] });
}
