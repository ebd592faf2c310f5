/** How a command line ends: what the terminal and the system tell it to, and in which order things then happen. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Requests in flight get this long when the process is told to end. */
const CLOSE_MS = 5000;

export interface Ended {
  /** Tells the app, whose own listeners may take their time: then, a promise. */
  signal(signal: NodeJS.Signals, deadlineMs: number): void | Promise<void>;
  close(deadlineMs: number): Promise<void>;
}

/** At the first signal the app is told, and has 5 seconds; a second one ends the process at once. */
export function endOnSignals(supervisor: Ended): void {
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const told = supervisor.signal(signal, CLOSE_MS);
    await Promise.all([supervisor.close(CLOSE_MS), told]);
    process.exit(0);
  };
  let ending = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // The second time somebody means it.
      if (ending) process.exit(1);
      ending = true;
      void end(signal);
    });
  }
}
