/** Puts the options of a command line or of `createSupervisor` together with those of the configuration and the defaults. */
import path from "node:path";
import { OptionError } from "../common/errors.js";
import { nameOf, type OptionOrigin } from "./check-options.js";
import { DEFAULT_HOST, DEFAULT_PORT } from "./defaults.js";
import { type Address, inspectAddress } from "./inspect-address.js";
import { defaultValues, type OptionValues, optionTable } from "./option-table.js";
import { type PlacedOptions, placedOptions } from "./placed-options.js";
import { nearestPackageFolder } from "./project-root.js";

/** Every option with its value: absolute paths, defaults filled in. What is not described here is as in the table. */
export interface ResolvedOptions extends Omit<OptionValues, "depend" | "envFile" | "inspect" | "quiet"> {
  /** Real path of the app's main file. */
  readonly entry: string;
  /** The same as it was named: `process.argv[1]`. */
  readonly script: string;
  /** Real path of the project root. */
  readonly root: string;
  /** For an app that is only exported: `port`, else the PORT variable, else 3000; `host`, else 127.0.0.1. */
  readonly fallback: Address;
  /** Neither an option nor the PORT variable says so. */
  readonly portIsGuess: boolean;
  /** Absolute globs of the files and folders to load before the entry; a plain path is a glob that matches only it. */
  readonly require: readonly string[];
  /** Absolute globs: a change of what the key matches loads again what the globs match. */
  readonly depend: Readonly<Record<string, readonly string[]>>;
  /** Absolute paths. */
  readonly envFiles: readonly string[];
  /** Globs, absolute unless they begin with `**`. */
  readonly ignore: readonly string[];
  readonly inspect: Address | undefined;
  readonly logLevel: NonNullable<OptionValues["logLevel"]>;
  /** Absolute paths of the modules that export the user's own adapters. */
  readonly adapters: readonly string[];
  /** Files that some of these options were read from. */
  readonly configFiles: readonly string[];
}

/** Options from a configuration file, not checked yet. */
export interface ConfiguredOptions {
  readonly options: unknown;
  /** Absolute path: `unreloader.config.*` or package.json. */
  readonly file: string;
  /** The file and what it imports. */
  readonly files: readonly string[];
}

export interface OptionContext {
  /** Folder that relative paths start from: the working directory, or the configuration file's folder. */
  readonly cwd: string;
  readonly origin: OptionOrigin;
  /** What a configuration file says; the options given beside it win. Its relative paths start from its folder. */
  readonly config?: ConfiguredOptions | undefined;
  /** Only PORT is read. Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Checks options and fills in what was left out.
 * @throws OptionError naming the option, its value and what fits, in one line.
 * @throws EntryError when the entry cannot be found.
 */
export function parseOptions(input: unknown, context: OptionContext): ResolvedOptions {
  const { origin, env = process.env, config } = context;
  const configOptions =
    config && placedOptions(config.options, path.dirname(config.file), { type: "config", file: config.file });
  const given: PlacedOptions = { ...configOptions, ...placedOptions(input, context.cwd, origin) };
  const { entry, script, root } = given;
  if (entry === undefined)
    throw new OptionError(`${nameOf("entry", origin)} is missing: expected ${optionTable.entry.fits}`);
  const { envFile, inspect, quiet: _, ...values } = { ...defaultValues, ...given };
  return {
    ...values,
    entry,
    script: script ?? entry,
    root: root ?? nearestPackageFolder(entry),
    fallback: { host: given.host ?? DEFAULT_HOST, port: given.port ?? portOf(env) ?? DEFAULT_PORT },
    portIsGuess: (given.port ?? portOf(env)) === undefined,
    envFiles: envFile,
    inspect: inspectAddress(inspect),
    logLevel: given.logLevel ?? (given.logger ? "debug" : "info"),
    configFiles: config?.files ?? [],
  };
}

/** A PORT that is no port number, such as the name of a pipe, is the app's own affair. */
function portOf(env: NodeJS.ProcessEnv): number | undefined {
  const port = /^\d+$/.test(env.PORT ?? "") ? Number(env.PORT) : Number.NaN;
  return port <= 65535 ? port : undefined;
}
