/**
 * Works out the options of a command line in a process of its own, for `run-command.ts`. Writes them as JSON to descriptor
 * 3: null when they cannot be handed over (a logger with functions), or are not those of an app without reloads.
 */
import { writeSync } from "node:fs";
import { optionsOf, reportFailure } from "./command-line.js";
import { parseCommandLine } from "./parse-command-line.js";

const OUT = 3;

try {
  const command = parseCommandLine(process.argv.slice(2));
  const options = command.type === "run" ? await optionsOf(command.input) : undefined;
  const canCross = options !== undefined && !options.reload && options.logger === undefined;
  writeSync(OUT, JSON.stringify(canCross ? options : null));
} catch (error) {
  reportFailure(error);
}
