/** The embedding entry point. */
import { createRequire } from "node:module";
import type { SupervisorOptions } from "./options/config-options.js";
import { parseOptions } from "./options/options.js";
import type * as plainModule from "./plain/plain-supervisor.js";
import type { PublicSupervisor } from "./public-supervisor.js";
import { printEvents } from "./reports/tell-events.js";
import type * as supervisorModule from "./supervisor/supervisor.js";

const require = createRequire(import.meta.url);

/**
 * A supervisor for one app. Nothing runs until `start()`.
 * @throws OptionError (ERR_UNRELOADER_OPTION) naming the option, its value and what fits.
 * @throws EntryError (ERR_UNRELOADER_ENTRY) when the entry cannot be found.
 */
export function createSupervisor(options: SupervisorOptions): PublicSupervisor {
  const resolved = parseOptions(options, { cwd: process.cwd(), origin: { type: "code" } });
  // Each is loaded when it is needed: production has no use for a watcher, a compiler and a relay.
  if (resolved.reload) {
    const { Supervisor } = require("./supervisor/supervisor.js") as typeof supervisorModule;
    const supervisor = new Supervisor(resolved);
    if (resolved.logger) printEvents(supervisor, resolved);
    return supervisor;
  }
  const { PlainSupervisor } = require("./plain/plain-supervisor.js") as typeof plainModule;
  const supervisor = new PlainSupervisor(resolved, "host");
  if (resolved.logger) printEvents(supervisor, resolved);
  return supervisor;
}
