/** The embedding entry point. */
import { parseOptions, type SupervisorOptions } from "../options.js";
import { Supervisor } from "./supervisor.js";

/**
 * A supervisor for one app. Nothing runs until `start()`.
 * @throws OptionError (ERR_UNRELOADER_OPTION) naming the option, its value and what fits.
 * @throws EntryError (ERR_UNRELOADER_ENTRY) when the entry cannot be found.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new Supervisor(parseOptions(options, { cwd: process.cwd(), origin: { type: "code" } }));
}
