/** How a command line ends: what the terminal and the system tell it to, and in which order things then happen. */
import { spawn } from "node:child_process";
import { SIGNAL_CLOSE_MS, SIGNAL_FORCE_MS, SIGNAL_NATIVE_MS } from "../common/deadlines.js";
import { errorText } from "../common/errors.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type EndSignal = (typeof SIGNALS)[number];

/** A thread that answers has ended after this time, or after the requests that it had. */
const PROMPT_MS = 500;
/** A package manager passes a signal on that the terminal has sent to us as well. */
const COPY_MS = 1000;

export interface Ended {
  /** Tells the app, whose own listeners may take their time: then, a promise. */
  signal(signal: NodeJS.Signals, deadlineMs: number): void | Promise<void>;
  close(deadlineMs: number): Promise<void>;
}

/** At the first signal the app is told, and has 5 seconds in all; a second one ends the process at once. */
export function endOnSignals(supervisor: Ended): void {
  let first: { readonly signal: EndSignal; readonly at: number } | undefined;
  let isCopied = process.env.npm_lifecycle_event === undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (first === undefined) {
        first = { signal, at: performance.now() };
        void end(supervisor, signal);
        return;
      }
      if (!isCopied && signal === first.signal && performance.now() - first.at < COPY_MS) {
        isCopied = true;
        return;
      }
      // The user does not want to wait.
      exit(signal, 1);
    });
  }
}

async function end(supervisor: Ended, signal: EndSignal): Promise<void> {
  const began = performance.now();
  const force = setTimeout(() => exit(signal, 0), SIGNAL_FORCE_MS);
  try {
    const told = supervisor.signal(signal, SIGNAL_CLOSE_MS);
    await Promise.all([supervisor.close(SIGNAL_CLOSE_MS), told]);
  } catch (error) {
    process.stderr.write(`unreloader: closing failed: ${errorText(error)}\n`);
  }
  clearTimeout(force);
  // What took so long may have been a thread in native code, which was given up and runs on.
  if (performance.now() - began > PROMPT_MS) exit(signal, 0);
  process.exit(0);
}

/**
 * Ends the process although the app's thread may run. Node stops it first, which it cannot while that thread is in native
 * code (it waits for a child process, computes a key). So another process sends the signal again, which then does what it
 * does in a process without a listener for it.
 */
function exit(signal: EndSignal, code: number): never {
  for (const name of SIGNALS) process.removeAllListeners(name);
  const script = `
    process.stdin.resume().on("end", () => process.exit());
    setTimeout(() => process.ppid === ${process.pid} && process.kill(${process.pid}, "${signal}"), ${SIGNAL_NATIVE_MS});
  `;
  const { NODE_OPTIONS: _, ...env } = process.env;
  // Its input ends with this process, and it with that.
  spawn(process.execPath, ["-e", script], { env, detached: true, stdio: ["pipe", "ignore", "ignore"] })
    .on("error", () => undefined)
    .unref();
  process.exit(code);
}
