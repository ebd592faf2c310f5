/**
 * Makes the thread look like the process the app expects, as far as that can be done: arguments, exit, signals.
 * What cannot be done is listed in README.
 */
import { constants } from "node:os";

export interface ProcessOptions {
  readonly entry: string;
  readonly args: readonly string[];
  /** Environment variables for those that are not set. */
  readonly variables: Readonly<Record<string, string>>;
  onExit(code: number): void;
  /** Called before the thread ends because of an exception that nobody caught. */
  onCrash(error: unknown): void;
}

export function adaptProcess({ entry, args, variables, onExit, onCrash }: ProcessOptions): void {
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
  process.argv = [process.execPath, entry, ...args];
  const exit = process.exit;
  process.exit = (code) => {
    // In a thread, exit() ends only the thread; the supervisor has to know that the app meant it.
    onExit(Number(code ?? process.exitCode ?? 0));
    return exit(code);
  };
  process.on("uncaughtExceptionMonitor", (error) => {
    if (process.listenerCount("uncaughtException") === 0) onCrash(error);
  });
}

/** Runs the app's listeners for a signal that the process got. Returns whether there are any. */
export function deliverSignal(signal: NodeJS.Signals): boolean {
  const emitter: NodeJS.EventEmitter = process;
  return emitter.emit(signal, signal, constants.signals[signal]);
}
