/** Runs an app without reloading: this process becomes the app's. */

import type { ResolvedOptions } from "../options/options.js";
import { PlainSupervisor } from "../plain/plain-supervisor.js";
import { printEvents } from "../reports/tell-events.js";
import { endOnSignals } from "./end-on-signals.js";

export async function runPlain(options: ResolvedOptions): Promise<void> {
  const supervisor = new PlainSupervisor(options, "process");
  printEvents(supervisor, options);
  endOnSignals(supervisor, { deadlineMs: options.drain });
  await supervisor.listen();
}
