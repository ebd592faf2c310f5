/** Runs a command line: flags and configuration to options, and options to an app that runs. */
import { type ErrorCode, UnreloaderError } from "../common/errors.js";
import { configFolders } from "../options/find-config.js";
import { loadConfig } from "../options/load-config.js";
import { parseOptions, type ResolvedOptions } from "../options/options.js";
import { helpText } from "./help.js";
import { packageVersion } from "./package-version.js";
import { parseCommandLine } from "./parse-command-line.js";
import type { Ahead } from "./run-supervised.js";
import { ownLines } from "./terminal-lines.js";

/** Sets the exit code of the process; ends it when the app is told to end. */
export async function runCommandLine(argv: readonly string[], ahead: Ahead): Promise<void> {
  const options = await carryOut(argv, ahead);
  if (options === undefined) return;
  // Outside of every try: what the app throws is shown by Node, as it is without us.
  const { runPlain } = await import("./run-plain.js");
  await runPlain(options);
}

/** Everything but an app without reloads; gives the options of one. */
async function carryOut(argv: readonly string[], ahead: Ahead): Promise<ResolvedOptions | undefined> {
  const { spare } = ahead;
  try {
    const command = parseCommandLine(argv);
    switch (command.type) {
      case "help":
        console.log(helpText());
        return undefined;
      case "version":
        console.log(packageVersion());
        return undefined;
      case "run": {
        const options = await optionsOf(command.input);
        if (!options.reload) {
          await spare?.destroy();
          spare?.process?.channel?.leave();
          return options;
        }
        const { runSupervised } = await import("./run-supervised.js");
        await runSupervised(options, ahead);
        return undefined;
      }
      default:
        return command satisfies never;
    }
  } catch (error) {
    reportFailure(error);
    await spare?.destroy();
    return undefined;
  }
}

/** Says what does not fit and sets the exit code; throws what is no error of the user's. */
function reportFailure(error: unknown): void {
  if (!(error instanceof UnreloaderError)) throw error;
  ownLines().write("stderr", [`unreloader: ${error.message}`]);
  process.exitCode = exitCodeOf(error.code);
}

/** 1: an option does not fit. 2: the entry cannot be found. Anything else that ends the start: 1. */
export function exitCodeOf(code: ErrorCode | undefined): 1 | 2 {
  return code === "ERR_UNRELOADER_ENTRY" ? 2 : 1;
}

/** Throws an UnreloaderError for what does not fit. */
async function optionsOf(input: Readonly<Record<string, unknown>>): Promise<ResolvedOptions> {
  const cwd = process.cwd();
  const config = await loadConfig(configFolders(input, cwd));
  return parseOptions(input, { cwd, origin: { type: "flags" }, config });
}
