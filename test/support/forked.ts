/** An app that was started as by `fork()`: what its parent hears of it, and tells it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Mode } from "./as-node.js";
import { within } from "./deadline.js";
import { OutputLines } from "./output-lines.js";
import { cliFile } from "./project.js";
import type { TempApp } from "./temp-app.js";

export interface ForkOptions {
  readonly serialization?: "json" | "advanced";
  /** Flags of the supervisor. */
  readonly flags?: readonly string[];
}

export class Forked implements AsyncDisposable {
  readonly lines = new OutputLines();
  /** All that has come so far. */
  readonly messages: unknown[] = [];
  readonly child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #onMessage: () => void = () => undefined;

  constructor(app: TempApp, entry: string, mode: Mode, { serialization = "json", flags = [] }: ForkOptions = {}) {
    const ours = mode === "node" ? [] : [cliFile, ...flags, ...(mode === "no-reload" ? ["--no-reload"] : [])];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    this.child = spawn(process.execPath, [...ours, entry], {
      cwd: app.folder,
      env: { ...env, PORT: "0", TMPDIR: app.scratch },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) if (stream) this.lines.follow(stream);
    this.child.on("message", (message) => {
      this.messages.push(message);
      this.#onMessage();
    });
    this.#closed = this.#over();
  }

  /** Resolves when the app has said this, now or before. */
  async heard(fits: (message: unknown) => boolean): Promise<void> {
    const come = new Promise<void>((resolve) => {
      this.#onMessage = () => this.messages.some(fits) && resolve();
      this.#onMessage();
    });
    await within(come, () => `a message; there were ${JSON.stringify(this.messages)}\n${this.lines}`);
  }

  send(message: unknown): void {
    this.child.send(message as object);
  }

  /** Its exit code, or signal. */
  async end(): Promise<unknown> {
    const [code, signal] = await within(this.#closed, () => `the end of the process:\n${this.lines}`);
    return code ?? signal;
  }

  /** Node 20 emits no "close" when the parent has disconnected. */
  async #over(): Promise<unknown[]> {
    const { child } = this;
    const streams = [child.stdout, child.stderr].map((stream) => stream && once(stream, "close"));
    const [exit] = await Promise.all([once(child, "exit"), once(child, "disconnect"), ...streams]);
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await within(this.#closed, () => `the end of the process:\n${this.lines}`).catch((error: unknown) => {
      this.child.kill("SIGKILL");
      throw error;
    });
  }
}
