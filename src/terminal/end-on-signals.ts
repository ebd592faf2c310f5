/** How a command line ends: what the terminal and the system tell it to, and in which order things then happen. */
import {
  CLOSE_POLL_MS,
  SIGNAL_END_MS,
  SIGNAL_ENDED_MS,
  SIGNAL_FORCED_MS,
  SIGNAL_LAST_MS,
  SIGNAL_NATIVE_MS,
  SIGNAL_SPARE_MS,
} from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import { visibleText } from "../common/visible-text.js";
import { lookUntil } from "../common/wait.js";
import { SecondSignal } from "./second-signal.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type EndSignal = (typeof SIGNALS)[number];

/** A thread that answers has ended after this time, or after the requests that it had. */
const PROMPT_MS = 500;
/** A package manager passes a signal on that the terminal has sent to us as well. */
const COPY_MS = 1000;

/** Whether a signal is the same as one that has come, passed on by a launcher. */
export type IsCopy = (signal: NodeJS.Signals) => boolean;

export interface EndOptions {
  readonly deadlineMs: number | undefined;
  readonly isCopy?: IsCopy;
  /** Whether threads run: the supervisor may have given them up. */
  readonly hasThreads?: () => boolean;
}

export interface Ended {
  /** Whether the app listens for it. */
  listensFor(signal: NodeJS.Signals): boolean;
  /** Has the app's listeners called, and does nothing else. False: it has none any more. */
  deliver(signal: NodeJS.Signals): Promise<boolean>;
  /** Tells the app, whose own listeners may take their time, and closes. Resolves with the code to end with. */
  end(signal: NodeJS.Signals, deadlineMs: number): Promise<number>;
}

/**
 * At the first signal the app is told, and has `deadlineMs` in all; a second one ends the process at once. An app that
 * listens for SIGHUP may mean something else by it (to read its configuration again): then that is the app's alone.
 */
export function endOnSignals(
  supervisor: Ended,
  { deadlineMs = SIGNAL_END_MS, isCopy = () => false, hasThreads = () => false }: EndOptions,
): void {
  let first: { readonly signal: EndSignal; readonly at: number } | undefined;
  let isCopied = process.env.npm_lifecycle_event === undefined;
  const begin = (signal: EndSignal): void => {
    first ??= { signal, at: performance.now() };
    void end(supervisor, signal, deadlineMs, hasThreads);
  };
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (isCopy(signal)) return;
      if (signal === "SIGHUP" && first === undefined && supervisor.listensFor(signal)) {
        void supervisor.deliver(signal).then((isHeard) => isHeard || begin(signal));
        return;
      }
      if (first === undefined) {
        begin(signal);
        return;
      }
      if (!isCopied && signal === first.signal && performance.now() - first.at < COPY_MS) {
        isCopied = true;
        return;
      }
      // The user does not want to wait.
      exit(new SecondSignal(signal), 1, SIGNAL_NATIVE_MS);
    });
  }
}

async function end(supervisor: Ended, signal: EndSignal, deadlineMs: number, hasThreads: () => boolean): Promise<void> {
  const began = performance.now();
  const forceMs = Math.max(SIGNAL_SPARE_MS, deadlineMs - SIGNAL_FORCED_MS);
  const second = new SecondSignal(signal);
  const prepare = setTimeout(() => second.prepare(), PROMPT_MS);
  const force = setTimeout(() => exit(second, 0, SIGNAL_LAST_MS), forceMs);
  let code = 0;
  try {
    code = await supervisor.end(signal, Math.max(0, deadlineMs - SIGNAL_SPARE_MS));
  } catch (error) {
    process.stderr.write(`unreloader: closing failed: ${visibleText(errorText(error))}\n`);
  }
  clearTimeout(prepare);
  clearTimeout(force);
  // Those that have been ended are over in a moment.
  await lookUntil(() => !hasThreads(), CLOSE_POLL_MS, performance.now() + SIGNAL_ENDED_MS);
  // What took so long may have been a thread in native code, which was given up and runs on.
  const tookMs = performance.now() - began;
  if (tookMs > PROMPT_MS || hasThreads())
    exit(second, code, Math.max(SIGNAL_LAST_MS, Math.min(SIGNAL_NATIVE_MS, forceMs - tookMs)));
  process.exit(code);
}

/** Also when a thread does not end: then by the signal, `afterMs` milliseconds later. */
function exit(second: SecondSignal, code: number, afterMs: number): never {
  for (const name of SIGNALS) process.removeAllListeners(name);
  second.sendAfter(afterMs);
  process.exit(code);
}
