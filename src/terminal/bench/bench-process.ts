/** A process of a measurement: what it wrote last, and its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { CLOSE_MS } from "../../common/deadlines.js";
import { wait } from "../../common/wait.js";

/** Of what it writes, this much is shown should it fail. */
const SHOWN_CHARACTERS = 4000;

export class BenchProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  #written = "";

  constructor(args: readonly string[], cwd: string) {
    this.child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.ended = once(this.child, "exit");
    for (const output of [this.child.stdout, this.child.stderr])
      output?.setEncoding("utf8").on("data", (text: string) => {
        this.#written = (this.#written + text).slice(-SHOWN_CHARACTERS);
      });
  }

  /** Resolves when it says so on its fourth descriptor; false: it has ended before. */
  async listening(deadlineMs: number): Promise<"listening" | "ended" | "late"> {
    const told = once(this.child.stdio[3] as NodeJS.ReadableStream, "data").then(() => "listening" as const);
    const ended = this.ended.then(() => "ended" as const);
    const first = await wait(Promise.race([told, ended]), { deadlineMs });
    return first.type === "settled" ? first.value : "late";
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The last lines that it wrote. */
  get lastLines(): string {
    return this.#written.trimEnd().split("\n").slice(-20).join("\n");
  }

  /** As somebody would end it who has time. */
  async end(): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill("SIGTERM");
    const waited = await wait(this.ended, { deadlineMs: CLOSE_MS });
    if (waited.type !== "settled") this.kill();
    await this.ended;
  }

  kill(): void {
    if (this.isRunning) this.child.kill("SIGKILL");
  }
}
