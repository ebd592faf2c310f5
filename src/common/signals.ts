/** Which signals mean what, to both threads. */

/** Those that the command line listens for in any case. */
export const MAINS_OWN_SIGNALS: ReadonlySet<string> = new Set([
  ...["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"],
  ...["SIGWINCH", "SIGCONT"],
]);

/** Those of them that main passes on, or ends the app by, whether it listens or not. */
export const ALWAYS_PASSED_SIGNALS: ReadonlySet<string> = new Set(["SIGINT", "SIGTERM", "SIGWINCH", "SIGCONT"]);

/** Those that end a process that does not listen for them, and that one listens for to end in order. */
const END_SIGNALS: ReadonlySet<string> = new Set(["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"]);

export function isEndSignal(signal: string): boolean {
  return END_SIGNALS.has(signal);
}
