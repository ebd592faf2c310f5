/**
 * Makes the thread look like the process the app expects, as far as that can be done: arguments, exit.
 * What cannot be done stands in docs/differences.md.
 */
import { UNCAUGHT } from "../src/common/exit-codes.js";
import { NODE_MAJOR } from "../src/common/node-version.js";
import type { BootOrder } from "../src/common/protocol/orders.js";
import { awaitBegunPoolWork } from "./begun-pool-work.js";

export interface ProcessOptions {
  /** The entry as it was named. */
  readonly script: string;
  readonly args: readonly string[];
  /** What the process was started with; its threads are not. */
  readonly startedWith: BootOrder["startedWith"];
  /** Environment variables for those that are not set. */
  readonly variables: Readonly<Record<string, string>>;
  onExit(code: number): void;
  /**
   * The thread comes to its end, by itself or after `onExit` or `onCrash`, and the app's listeners are called next. Returns the
   * code that is not Node's own for it.
   */
  onEnd(): number | undefined;
  /** Called before the thread ends because of an exception that nobody caught. */
  onCrash(error: unknown): void;
  /** The app has taken an error, or a rejection, that nobody caught, and may end for it: its listeners are called next. */
  onTaken(): void;
  /** Then Node prints it: not when a listener for `exit` ends the process before. */
  print(error: unknown): void;
  /** The app has made a worker thread of its own. */
  onWorker(): void;
}

export function adaptProcess(options: ProcessOptions): void {
  const { script, args, startedWith, variables } = options;
  process.execArgv = [...startedWith.execArgv];
  if (startedWith.nodeOptions !== undefined) process.env.NODE_OPTIONS ??= startedWith.nodeOptions;
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
  process.argv = [process.execPath, script, ...args];
  let isCrashing = false;
  let crash: unknown;
  const exit = process.exit;
  const exitTold: typeof process.exit = (...given) => {
    const [code] = given;
    // Node's setter throws for what is no number: then nothing ends.
    if (code !== undefined && code !== null) process.exitCode = code;
    // In a thread, exit() ends only the thread; the supervisor has to know that the app meant it.
    options.onExit(Number(process.exitCode ?? (isCrashing ? UNCAUGHT : 0)));
    // Without an argument, process.exitCode counts.
    return exit(...given);
  };
  process.exit = Object.defineProperties(exitTold, Object.getOwnPropertyDescriptors(exit));
  // Not by a listener: the app counts those, and may remove them all.
  const { emit } = process;
  const watched: NodeJS.EventEmitter["emit"] = (event, ...values) => {
    if (event === "uncaughtExceptionMonitor" && !isCaught()) {
      isCrashing = true;
      crash = values[0];
      options.onCrash(crash);
      if (isExiting()) {
        // A listener for `exit` has thrown: they are not called again, and the code stays what it was, if it was any.
        options.print(crash);
        options.onExit(Number(process.exitCode ?? UNCAUGHT));
      }
    }
    if (isTaken(event)) options.onTaken();
    if (event === "worker") options.onWorker();
    if (event === "exit") {
      const code = options.onEnd();
      // Before Node 22, listeners are given 0.
      if (code !== undefined && NODE_MAJOR >= 22) values[0] = code;
    }
    const isHeard = Reflect.apply(emit, process, [event, ...values]) as boolean;
    if (event === "exit") awaitBegunPoolWork();
    if (event === "exit" && isCrashing) {
      options.print(crash);
      // What listeners have made of the code. Node ends the thread next, and may not get as far as process.exit().
      options.onExit(Number(process.exitCode));
    }
    return isHeard;
  };
  Object.defineProperties(watched, Object.getOwnPropertyDescriptors(emit));
  Object.defineProperty(process, "emit", { value: watched, writable: true, configurable: true });
}

function isTaken(event: string | symbol): boolean {
  if (event === "uncaughtExceptionMonitor") return isCaught();
  return event === "unhandledRejection" && process.listenerCount(event) > 0;
}

function isExiting(): boolean {
  return (process as unknown as { _exiting?: boolean })._exiting === true;
}

/** Whether the app takes what nobody catches (`node:domain` does so by the callback). */
export function isCaught(): boolean {
  return process.hasUncaughtExceptionCaptureCallback() || process.listenerCount("uncaughtException") > 0;
}
