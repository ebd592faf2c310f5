/**
 * Every option of `createSupervisor` and of the command line: its schema, what fits, and its default. Relative paths
 * become absolute here, once; what reads an option later never asks where it came from.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { DRAIN_MS, HELD_DEADLINE_MS, WATCHDOG_MS } from "../common/deadlines.js";
import { EntryError, OptionError } from "../common/errors.js";
import { absoluteGlob, isGlob, placedPattern } from "../common/globs.js";
import { z } from "../common/protocol/zod.js";
import type { Logger } from "../reports/logger.js";
import { DEFAULT_HOST, DEFAULT_PORT } from "./defaults.js";
import { importedPackage } from "./imported-package.js";
import { nearestName } from "./nearest-name.js";

export const SOURCE_EXTENSIONS = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"] as const;

const DEFAULT_INSPECT_PORT = 9229;
/** What all held requests may have together in memory, unless a user says otherwise. */
export const DEFAULT_HELD_BYTES = 64 * 2 ** 20;
/** Node's timers end at once when they are given more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const text = z.string().min(1);
const texts = z.union([text.transform((one) => [one]), z.array(text)]);
const portNumber = z.int().min(0).max(65535);
const inspectAddress = z.union([
  z.boolean(),
  portNumber.transform(String),
  text.refine((value) => parseInspectAddress(value) !== undefined),
]);
const logger = z.custom<Logger>(
  (value) => typeof value === "function" || (typeof value === "object" && value !== null && !Array.isArray(value)),
);

const schema = z.strictObject({
  entry: text,
  args: z.array(z.string()),
  port: portNumber,
  host: text,
  app: text,
  root: text,
  require: texts,
  // Any text: names that fit nothing are reported while the app runs, and ignored.
  subclasses: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  depend: z.record(text, texts),
  envFile: texts,
  scope: z.enum(["affected", "app", "worker"]),
  cooldown: z.union([z.number().min(0), z.literal("off")]),
  watch: z.enum(["auto", "events", "poll"]),
  ignore: texts,
  reload: z.boolean(),
  autoload: z.boolean(),
  onError: z.enum(["page", "last-good"]),
  strictPurge: z.boolean(),
  watchdog: z.union([z.number().min(100), z.literal("off")]),
  drain: z.number().min(0).max(LONGEST_TIMER_MS),
  heldDeadline: z.number().min(100).max(LONGEST_TIMER_MS),
  heldBytes: z.int().min(65536),
  standby: z.boolean(),
  inspect: inspectAddress,
  why: z.boolean(),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]),
  logFormat: z.enum(["pretty", "json"]),
  quiet: z.boolean(),
  logger,
  adapters: texts,
});

export type OptionName = keyof typeof schema.shape;
/** What a configuration file may say: every option, none of them required. */
export type ConfigOptions = Partial<z.input<typeof schema>>;
/** What people may pass to `createSupervisor`, before defaults. */
export type SupervisorOptions = ConfigOptions & { entry: string };
type GivenOptions = { [Name in OptionName]?: z.output<typeof schema>[Name] | undefined };

/** What fits each option, as messages and docs/options.md say it. */
const fits: Readonly<Record<OptionName, string>> = {
  entry: "the path of the app's main file",
  args: "a list of strings",
  port: "a whole number from 0 to 65535",
  host: "a host name or an address",
  app: "the name of an export",
  root: "a folder",
  require: "files, folders or globs",
  subclasses: "class names, such as Model or sequelize#Model",
  depend: "files for each dependency, such as { views: ['src/app.ts'] }",
  envFile: "files",
  scope: "affected, app or worker",
  cooldown: "milliseconds (0 or more) or off",
  watch: "auto, events or poll",
  ignore: "globs",
  reload: "true or false",
  autoload: "true or false",
  onError: "page or last-good",
  strictPurge: "true or false",
  watchdog: "milliseconds (100 or more) or off",
  drain: `milliseconds (0 to ${LONGEST_TIMER_MS})`,
  heldDeadline: `milliseconds (100 to ${LONGEST_TIMER_MS})`,
  heldBytes: "bytes (65536 or more)",
  standby: "true or false",
  inspect: "true, false, a port, or HOST:PORT",
  why: "true or false",
  logLevel: "debug, info, warn, error or silent",
  logFormat: "pretty or json",
  quiet: "true or false",
  logger: "an object with methods debug, info, warn and error, or a function (level, message, fields)",
  adapters: "files or packages that export adapters (objects cannot cross to the app's thread)",
};

/** The words an option with a fixed choice accepts: for "did you mean". */
const choices: Readonly<Partial<Record<OptionName, readonly string[]>>> = {
  scope: schema.shape.scope.options,
  watch: schema.shape.watch.options,
  onError: schema.shape.onError.options,
  logLevel: schema.shape.logLevel.options,
  logFormat: schema.shape.logFormat.options,
};

/** Where options were written, so that a message can name the place. */
export type OptionOrigin =
  | { readonly type: "flags" }
  | { readonly type: "code" }
  | { readonly type: "config"; readonly file: string };

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Every option with its value: absolute paths, defaults filled in. */
export interface ResolvedOptions {
  /** Real path of the app's main file. */
  readonly entry: string;
  /** The app's `process.argv.slice(2)`. */
  readonly args: readonly string[];
  /** Real path of the project root. */
  readonly root: string;
  /** Overrides the port of the first server the app opens; absent: the app's own choice. */
  readonly port: number | undefined;
  readonly host: string | undefined;
  /** For an app that is only exported: `port`, else the PORT variable, else 3000; `host`, else 127.0.0.1. */
  readonly fallback: Address;
  readonly app: string | undefined;
  /** Absolute globs of the files and folders to load before the entry; a plain path is a glob that matches only it. */
  readonly require: readonly string[];
  readonly subclasses: readonly string[] | undefined;
  /** Absolute globs: a change of what the key matches loads again what the globs match. */
  readonly depend: Readonly<Record<string, readonly string[]>>;
  readonly envFiles: readonly string[];
  readonly scope: "affected" | "app" | "worker";
  /** Milliseconds. */
  readonly cooldown: number | "off";
  readonly watch: "auto" | "events" | "poll";
  /** Globs, absolute unless they begin with `**`. */
  readonly ignore: readonly string[];
  readonly reload: boolean;
  /** Whether `unreloader.autoload()` waits for the first read. */
  readonly autoload: boolean;
  readonly onError: "page" | "last-good";
  readonly strictPurge: boolean;
  /** Milliseconds that the app's thread may be blocked before its requests get 504. */
  readonly watchdog: number | "off";
  /** Milliseconds that what has begun may go on in a worker that is being replaced. */
  readonly drain: number;
  /** Milliseconds that a request may be held. */
  readonly heldDeadline: number;
  /** Bytes of all requests that are held. */
  readonly heldBytes: number;
  /** Whether a second thread is kept ready for a fresh worker. */
  readonly standby: boolean;
  readonly inspect: Address | undefined;
  readonly why: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly logFormat: "pretty" | "json";
  /** Absolute paths of the modules that export the user's own adapters. */
  readonly adapters: readonly string[];
  /** Gets every line instead of the terminal. */
  readonly logger: Logger | undefined;
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
  const configured = config && placedOptions(config.options, path.dirname(config.file), originOf(config));
  const given: GivenOptions = { ...configured, ...placedOptions(input, context.cwd, origin) };
  if (given.entry === undefined) throw new OptionError(`${nameOf("entry", origin)} is missing: expected ${fits.entry}`);
  return {
    entry: given.entry,
    args: given.args ?? [],
    root: given.root ?? nearestPackageFolder(given.entry),
    port: given.port,
    host: given.host,
    fallback: { host: given.host ?? DEFAULT_HOST, port: given.port ?? portOf(env) ?? DEFAULT_PORT },
    app: given.app,
    require: given.require ?? [],
    subclasses: given.subclasses,
    depend: given.depend ?? {},
    envFiles: given.envFile ?? [],
    scope: given.scope ?? "affected",
    cooldown: given.cooldown ?? 0,
    watch: given.watch ?? "auto",
    ignore: given.ignore ?? [],
    reload: given.reload ?? true,
    autoload: given.autoload ?? true,
    onError: given.onError ?? "page",
    strictPurge: given.strictPurge ?? false,
    watchdog: given.watchdog ?? WATCHDOG_MS,
    drain: given.drain ?? DRAIN_MS,
    heldDeadline: given.heldDeadline ?? HELD_DEADLINE_MS,
    heldBytes: given.heldBytes ?? DEFAULT_HELD_BYTES,
    standby: given.standby ?? true,
    inspect: inspectOf(given.inspect ?? false),
    why: given.why ?? false,
    logLevel: given.logLevel ?? (given.logger ? "debug" : "info"),
    logFormat: given.logFormat ?? "pretty",
    adapters: given.adapters ?? [],
    logger: given.logger,
    configFiles: config?.files ?? [],
  };
}

/** Where a configuration may lie, best place first: the project of the entry, then the working folder. */
export function configFolders(input: Readonly<Record<string, unknown>>, cwd: string): string[] {
  const folders = [path.resolve(cwd)];
  if (typeof input.root === "string") folders.unshift(path.resolve(cwd, input.root));
  else if (typeof input.entry === "string") folders.unshift(nearestPackageFolder(path.resolve(cwd, input.entry)));
  return [...new Set(folders)];
}

/** The options of one place, checked, with absolute paths: those of the next place may begin elsewhere. */
function placedOptions(input: unknown, folder: string, origin: OptionOrigin): GivenOptions {
  const given = checkOptions(input, origin);
  const cwd = realpathSync(folder);
  const { entry, root, require, depend, envFile, adapters, ignore, quiet } = given;
  const main = entry === undefined ? undefined : findEntry(entry, cwd, origin);
  const givenRoot = root === undefined ? undefined : existingFolder(root, cwd, origin);
  const project = givenRoot ?? (main === undefined ? cwd : nearestPackageFolder(main));
  return {
    ...(quiet && { logLevel: "warn" }),
    ...given,
    ...(main !== undefined && { entry: main }),
    ...(givenRoot !== undefined && { root: givenRoot }),
    ...(require && { require: require.map((pattern) => existingPattern(pattern, project, origin)) }),
    ...(depend && { depend: placedDependencies(depend, project) }),
    ...(envFile && { envFile: envFile.map((file) => existingFile("envFile", file, cwd, origin)) }),
    ...(adapters && { adapters: adapters.map((name) => existingModule("adapters", name, cwd, origin)) }),
    ...(ignore && { ignore: ignore.map((pattern) => absoluteGlob(pattern, cwd)) }),
  };
}

function originOf({ file }: ConfiguredOptions): OptionOrigin {
  return { type: "config", file };
}

/** The name of an option as its user wrote it. */
export function nameOf(option: string, origin: OptionOrigin): string {
  switch (origin.type) {
    case "flags":
      return option === "entry" ? "entry" : flagOf(option);
    case "code":
      return `option ${option}`;
    case "config":
      return `option ${option} (${path.basename(origin.file)})`;
    default:
      return origin satisfies never;
  }
}

const ON_UNLESS_REFUSED = ["reload", "autoload", "standby"];

/** `logLevel` is `--log-level`; what is on unless refused has the flag that refuses it. */
export function flagOf(option: string): string {
  if (ON_UNLESS_REFUSED.includes(option)) return `--no-${option}`;
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export const optionNames = Object.keys(schema.shape) as readonly OptionName[];

function checkOptions(input: unknown, origin: OptionOrigin): GivenOptions {
  // An option that is present but undefined counts as left out, as everywhere in JavaScript.
  const present =
    typeof input === "object" && input !== null && !Array.isArray(input)
      ? Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
      : input;
  const result = schema.partial().safeParse(present);
  if (!result.success) throw new OptionError(messageOf(result.error.issues[0], present, origin));
  return result.data;
}

function messageOf(issue: z.core.$ZodIssue | undefined, input: unknown, origin: OptionOrigin): string {
  if (issue?.code === "unrecognized_keys" && issue.path.length === 0) {
    const unknown = issue.keys[0] ?? "";
    const meant = nearestName(unknown, optionNames);
    const shownAs = meant && (origin.type === "config" ? meant : nameOf(meant, origin));
    return `unknown ${nameOf(unknown, origin)}${shownAs ? `; did you mean ${shownAs}?` : ""}`;
  }
  const option = optionNames.find((name) => name === issue?.path[0]);
  if (!option) {
    const where = origin.type === "config" ? ` (${path.basename(origin.file)})` : "";
    return `options${where} must be an object such as { entry: "src/app.ts" }, got ${shown(input)}`;
  }
  const value: unknown = (input as Record<string, unknown>)[option];
  const meant = typeof value === "string" ? nearestName(value, choices[option] ?? []) : undefined;
  return `${nameOf(option, origin)} ${shown(value)}: expected ${fits[option]}${meant ? `; did you mean ${meant}?` : ""}`;
}

/** A value in a message: one line, and not a long one. */
function shown(value: unknown): string {
  if (typeof value === "string") return /^[\w.:/@*-]+$/.test(value) ? cut(value) : cut(JSON.stringify(value));
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "symbol" || value === undefined) return String(value);
  if (typeof value === "number") return String(value);
  try {
    return cut(JSON.stringify(value) ?? typeof value);
  } catch (error) {
    if (error instanceof TypeError) return "an object"; // cycles and big integers have no JSON
    throw error;
  }
}

function cut(line: string): string {
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}

/** The main file as `node <entry>` would find it: the file, the file with an extension, or the folder's index file. */
function findEntry(given: string, cwd: string, origin: OptionOrigin): string {
  const wanted = path.resolve(cwd, given);
  const found = [wanted, ...withExtensions(wanted), ...withExtensions(path.join(wanted, "index"))].find(isFile);
  if (found === undefined) throw new EntryError(`cannot find the entry ${given}: no such file in ${cwd}`);
  if (!SOURCE_EXTENSIONS.some((extension) => found.endsWith(extension)))
    throw new OptionError(
      `${nameOf("entry", origin)} ${shown(given)}: expected a file that ends in ${SOURCE_EXTENSIONS.join(", ")}`,
    );
  return realpathSync(found);
}

function withExtensions(file: string): string[] {
  return SOURCE_EXTENSIONS.map((extension) => file + extension);
}

/** The folder of the nearest package.json at or above the file's folder; without one, the file's folder. */
export function nearestPackageFolder(file: string): string {
  const start = path.dirname(file);
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "package.json"))) return folder;
    if (path.dirname(folder) === folder) return start;
  }
}

function existingFolder(given: string, cwd: string, origin: OptionOrigin): string {
  const folder = path.resolve(cwd, given);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new OptionError(
      `${nameOf("root", origin)} ${shown(given)}: expected ${fits.root}, and there is none at ${folder}`,
    );
  return realpathSync(folder);
}

function existingFile(option: OptionName, given: string, cwd: string, origin: OptionOrigin): string {
  const file = path.resolve(cwd, given);
  if (!isFile(file)) throw new OptionError(`${nameOf(option, origin)} ${shown(given)}: there is no such file`);
  return file;
}

/** A file, or a package that the project has installed. */
function existingModule(option: OptionName, given: string, cwd: string, origin: OptionOrigin): string {
  const file = path.resolve(cwd, given);
  if (isFile(file)) return realpathSync(file);
  try {
    return createRequire(path.join(cwd, "package.json")).resolve(given);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const imported = importedPackage(given, cwd);
    if (imported !== undefined) return imported;
    throw new OptionError(`${nameOf(option, origin)} ${shown(given)}: there is no such file or package`);
  }
}

/** A glob may match nothing today and a file tomorrow; a plain path must exist. */
function existingPattern(given: string, folder: string, origin: OptionOrigin): string {
  if (!isGlob(given) && !existsSync(path.resolve(folder, given)))
    throw new OptionError(`${nameOf("require", origin)} ${shown(given)}: there is no such file or folder`);
  return placedPattern(given, folder);
}

/** Either side may come later. */
function placedDependencies(depend: Readonly<Record<string, readonly string[]>>, folder: string) {
  const entries = Object.entries(depend).map(
    ([dependency, files]) =>
      [placedPattern(dependency, folder), files.map((file) => placedPattern(file, folder))] as const,
  );
  return Object.fromEntries(entries);
}

/** A PORT that is no port number, such as the name of a pipe, is the app's own affair. */
function portOf(env: NodeJS.ProcessEnv): number | undefined {
  const port = /^\d+$/.test(env.PORT ?? "") ? Number(env.PORT) : Number.NaN;
  return port <= 65535 ? port : undefined;
}

function inspectOf(given: boolean | string): Address | undefined {
  if (given === false) return undefined;
  if (given === true) return { host: DEFAULT_HOST, port: DEFAULT_INSPECT_PORT };
  return parseInspectAddress(given);
}

/** `PORT`, `HOST`, `HOST:PORT` or `[IPV6]:PORT`, as Node's own flag takes it. */
function parseInspectAddress(given: string): Address | undefined {
  const [, host, digits] = /^(?:(\[[\da-fA-F:.]+\]|[^\s:[\]]+):)?(\d+)$/.exec(given) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= 65535) return { host: host?.replace(/^\[|\]$/g, "") ?? DEFAULT_HOST, port };
  if (/^[a-zA-Z][\w.-]*$/.test(given)) return { host: given, port: DEFAULT_INSPECT_PORT };
  return undefined;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}
