/** Runs an app without reloading: this process becomes the app's. */
import { endOnSignals } from "../end-on-signals.js";
import type { ResolvedOptions } from "../options.js";
import { printEvents } from "../supervisor/tell-events.js";
import { PlainSupervisor } from "./plain-supervisor.js";

export async function runPlain(options: ResolvedOptions): Promise<void> {
  const supervisor = new PlainSupervisor(options, "process");
  printEvents(supervisor, options);
  endOnSignals(supervisor);
  await supervisor.listen();
}
