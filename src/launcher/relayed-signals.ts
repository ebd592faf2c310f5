/** Signals that a launcher passes on: all that a process may listen for and that are meant for the app. */
import os from "node:os";

/**
 * Node's own ones, faults of the code that runs, and what concerns each process for itself: children, the terminal and its
 * size, and to be stopped.
 */
const NOT_RELAYED = new Set(
  (
    "SIGKILL SIGSTOP SIGCHLD SIGTSTP SIGTTIN SIGTTOU SIGWINCH SIGPROF SIGURG SIGPIPE " +
    "SIGABRT SIGIOT SIGSEGV SIGBUS SIGILL SIGFPE SIGTRAP SIGSYS SIGSTKFLT"
  ).split(" "),
);

export function relayedSignals(): NodeJS.Signals[] {
  const names = Object.keys(os.constants.signals) as NodeJS.Signals[];
  // One number may have two names.
  const byNumber = new Map(names.map((name) => [os.constants.signals[name], name]));
  return [...byNumber.values()].filter((name) => !NOT_RELAYED.has(name));
}
