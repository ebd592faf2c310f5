/**
 * Ends this process although the app's thread may run. Node stops that first, which it cannot while the thread is in native
 * code (it waits for a child process, computes a key, collects garbage in a heap of gigabytes). So another process sends the
 * signal again, which then does what it does in a process without a listener for it.
 */
import { type ChildProcess, spawn } from "node:child_process";

/** Its input ends with this process, and it with that. */
const SCRIPT = `
  const send = () => process.ppid === Number(process.argv[1]) && process.kill(process.ppid, process.argv[2]);
  process.stdin.on("data", (ms) => setTimeout(send, Number(ms))).on("end", () => process.exit());
`;

export class SecondSignal {
  readonly #signal: NodeJS.Signals;
  #sender: ChildProcess | undefined;

  constructor(signal: NodeJS.Signals) {
    this.#signal = signal;
  }

  /** Starts that process, which does nothing yet: on a machine that is busy it would come seconds too late. */
  prepare(): ChildProcess {
    if (this.#sender !== undefined) return this.#sender;
    const { NODE_OPTIONS: _, ...env } = process.env;
    const sender = spawn(process.execPath, ["-e", SCRIPT, String(process.pid), this.#signal], {
      env,
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    sender.on("error", () => undefined).unref();
    // It may have been ended.
    sender.stdin.on("error", () => undefined);
    this.#sender = sender;
    return sender;
  }

  /** To be called once, when this process does not listen for the signal any more, and is about to end. */
  sendAfter(ms: number): void {
    this.prepare().stdin?.write(String(ms));
  }
}
