/** Runs an app without reloading: this process becomes the app's. */

import type { ResolvedOptions } from "../options/options.js";
import { PlainSupervisor } from "../plain/plain-supervisor.js";
import { printEvents } from "../reports/tell-events.js";
import { endOnSignals } from "./end-on-signals.js";
import { ownLines } from "./terminal-lines.js";

export async function runPlain(options: ResolvedOptions): Promise<void> {
  const supervisor = new PlainSupervisor(options, "process");
  const lines = ownLines();
  printEvents(supervisor, options, { write: lines.write });
  endOnSignals(supervisor, { deadlineMs: options.drain });
  await supervisor.listen();
}
