/** The command line: flags to options, and the text of `--help`. Values are checked by `parseOptions`, as for any origin. */
import { parseArgs } from "node:util";
import { type ErrorCode, OptionError } from "../common/errors.js";
import { nearestName } from "../options/nearest-name.js";
import { flagOf, type OptionName } from "../options/options.js";
import type { ExplainLeakInput } from "./explain-leak-command.js";

/** What a flag does with the text after it. */
type FlagKind = "switch" | "text" | "number" | "list" | "names" | "dependency" | "optional";

interface Flag {
  readonly option: OptionName;
  readonly kind: FlagKind;
  readonly short?: string;
  /** The value as `--help` names it. */
  readonly value?: string;
  readonly meaning: string;
}

const flags: readonly Flag[] = [
  { option: "port", kind: "number", short: "p", value: "N", meaning: "public port; without it, the app's own choice" },
  { option: "host", kind: "text", short: "H", value: "H", meaning: "public host" },
  { option: "app", kind: "text", value: "NAME", meaning: "export to serve, when the entry starts no server itself" },
  { option: "root", kind: "text", value: "DIR", meaning: "project root; default: the nearest package.json's folder" },
  { option: "require", kind: "list", value: "GLOB", meaning: "load and monitor these before the entry (repeatable)" },
  { option: "subclasses", kind: "names", value: "A,B", meaning: "purge only these classes and their descendants" },
  { option: "depend", kind: "dependency", value: "DEP=FILE", meaning: "a change in DEP reloads FILE (repeatable)" },
  { option: "envFile", kind: "list", value: "FILE", meaning: "load FILE into the app's environment (repeatable)" },
  { option: "scope", kind: "text", value: "WHAT", meaning: "reload affected modules (default), app or worker" },
  { option: "cooldown", kind: "number", value: "MS", meaning: "least time between two checks, or off; default 0" },
  { option: "watch", kind: "text", value: "HOW", meaning: "notice changes by events or poll; default auto" },
  { option: "ignore", kind: "list", value: "GLOB", meaning: "never monitor these files (repeatable)" },
  { option: "reload", kind: "switch", meaning: "production: load the app in the main thread, watch nothing" },
  { option: "autoload", kind: "switch", meaning: "load at once what the app autoloads" },
  {
    option: "onError",
    kind: "text",
    value: "WHAT",
    meaning: "while the newest code is broken: page (default), last-good",
  },
  {
    option: "strictPurge",
    kind: "switch",
    meaning: "fresh worker when a package keeps something of a purged module",
  },
  {
    option: "watchdog",
    kind: "number",
    value: "MS",
    meaning: "504 for the requests of an app that is blocked for so long, or off; default 10000",
  },
  {
    option: "drain",
    kind: "number",
    value: "MS",
    meaning: "how long what has begun may go on in a replaced worker; default 30000",
  },
  {
    option: "heldDeadline",
    kind: "number",
    value: "MS",
    meaning: "how long a request may be held before it gets 503; default 60000",
  },
  {
    option: "heldBytes",
    kind: "number",
    value: "N",
    meaning: "bytes of all held requests, before more of them get 503; default 64 MiB",
  },
  { option: "standby", kind: "switch", meaning: "keep no second thread ready for a fresh worker" },
  {
    option: "inspect",
    kind: "optional",
    value: "H:P",
    meaning: "open the debugger on the app; default 127.0.0.1:9229",
  },
  { option: "why", kind: "switch", meaning: "say for every reloaded file why it was reloaded" },
  { option: "logLevel", kind: "text", value: "LEVEL", meaning: "debug, info (default), warn, error or silent" },
  { option: "logFormat", kind: "text", value: "FORMAT", meaning: "pretty (default) or json: one object a line" },
  { option: "quiet", kind: "switch", meaning: "only warnings and errors" },
];

const flagsByName = new Map(flags.map((flag) => [bareName(flag), flag]));
const plainFlags = ["help", "version"];

export type CommandLine =
  | { readonly type: "help" }
  | { readonly type: "version" }
  | { readonly type: "explainLeak"; readonly input: ExplainLeakInput }
  /** `input` is for `parseOptions`, with the origin `flags`. */
  | { readonly type: "run"; readonly input: Readonly<Record<string, unknown>> };

/**
 * Reads `process.argv.slice(2)`. Flags may stand before or after the entry; what follows `--` belongs to the app.
 * @throws OptionError naming the flag, for what has no meaning as a command line.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  if (argv[0] === "explain-leak") return parseExplainLeak(argv.slice(1));
  const { tokens } = parseArgs({
    args: [...argv],
    // Not strict: Node's own messages neither name what was meant nor allow `--inspect` with and without a value.
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(flags.map((flag) => [bareName(flag), parserOption(flag)])),
      help: { type: "boolean", short: "h" },
      version: { type: "boolean", short: "v" },
    },
  });
  const input: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      input.args = argv.slice(token.index + 1);
      break;
    }
    if (token.kind === "positional") {
      if (input.entry !== undefined)
        throw new OptionError(`unexpected argument ${token.value}: arguments for the app come after --`);
      input.entry = token.value;
    } else if (token.name === "help") return { type: "help" };
    else if (token.name === "version") return { type: "version" };
    else readFlag(input, token.name, token.rawName, token.value, token.inlineValue === true);
  }
  return { type: "run", input };
}

function parseExplainLeak(argv: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: {
      root: { type: "string" },
      pid: { type: "string" },
      "log-format": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const given: Record<string, string | undefined> = {};
  for (const token of tokens) {
    if (token.kind !== "option") throw new OptionError("explain-leak takes options only: --root, --pid, --log-format");
    const { name, rawName, value } = token;
    if (name === "help") return { type: "help" };
    if (!["root", "pid", "log-format"].includes(name))
      throw new OptionError(`explain-leak does not know ${rawName}; it takes --root DIR, --pid N and --log-format`);
    if (value === undefined || value === "") throw new OptionError(`${rawName} needs a value`);
    given[name] = value;
  }
  const { root, pid, "log-format": format = "pretty" } = given;
  if (pid !== undefined && !/^\d+$/.test(pid)) throw new OptionError(`--pid must be a process number, got ${pid}`);
  if (format !== "pretty" && format !== "json")
    throw new OptionError(`--log-format must be pretty or json, got ${format}`);
  return { type: "explainLeak", input: { root, pid: pid === undefined ? undefined : Number(pid), format } };
}

/** 1: an option does not fit. 2: the entry cannot be found. Anything else that ends the start: 1. */
export function exitCodeOf(code: ErrorCode | undefined): 1 | 2 {
  return code === "ERR_UNRELOADER_ENTRY" ? 2 : 1;
}

/** The text of `--help`, without a line break at its end. */
export function helpText(): string {
  const rows = flags.map((flag) => [usageOf(flag), flag.meaning] as const);
  rows.push(["-v, --version", "print the version"], ["-h, --help", "print this"]);
  const width = Math.max(...rows.map(([usage]) => usage.length)) + 2;
  return [
    "Usage: unreloader [options] <entry> [-- args for the app]",
    "       unreloader explain-leak [--root DIR] [--pid N] [--log-format pretty|json]",
    "",
    "Serves a Node.js app and reloads what changes, in the same process: the request after a save runs the new code.",
    "The entry is the app's own main file, unmodified: .js .cjs .mjs .ts .cts .mts .jsx .tsx",
    "explain-leak asks the supervisor that runs in this project who keeps old code alive.",
    "",
    "Options:",
    ...rows.map(([usage, meaning]) => `  ${usage.padEnd(width)}${meaning}`),
    "",
    "Example:",
    "  unreloader src/server.ts --port 8080 -- --config dev.json",
  ].join("\n");
}

function readFlag(
  input: Record<string, unknown>,
  name: string,
  rawName: string,
  value: string | undefined,
  inline: boolean,
): void {
  const negated = name.startsWith("no-");
  const flag = flagsByName.get(negated ? name.slice(3) : name);
  const refusable = flag?.kind === "switch" || flag?.kind === "optional";
  if (!flag || (negated && !refusable)) throw new OptionError(unknownFlag(rawName));
  if (refusable) {
    if (value === undefined) input[flag.option] = !negated;
    else if (flag.kind === "optional" && !negated) input[flag.option] = value;
    else throw new OptionError(`${rawName} takes no value, got ${value}`);
    return;
  }
  // `--port --host x`: the next flag was taken for a value, because parsing is not strict.
  const missing = value === undefined || value === "" || (!inline && /^--?[a-zA-Z]/.test(value));
  if (missing) throw new OptionError(`${rawName} needs a value: ${rawName} ${flag.value}`);
  input[flag.option] = flagValue(flag, value, input[flag.option]);
}

function flagValue(flag: Flag, value: string, before: unknown): unknown {
  switch (flag.kind) {
    case "number":
      return /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    case "list":
      return [...(Array.isArray(before) ? before : []), value];
    case "names":
      return [...(Array.isArray(before) ? before : []), ...commaSeparated(value)];
    case "dependency":
      return { ...(typeof before === "object" ? before : {}), ...dependencyOf(value) };
    default:
      return value;
  }
}

/** `views=src/app.ts,src/mail.ts` */
function dependencyOf(value: string): Record<string, string[]> {
  const [dependency, files] = splitOnce(value, "=");
  const list = commaSeparated(files ?? "");
  if (!dependency || list.length === 0) throw new OptionError(`--depend ${value}: expected DEP=FILE or DEP=FILE,FILE`);
  return { [dependency]: list };
}

function commaSeparated(value: string): string[] {
  return value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function splitOnce(value: string, separator: string): [string, string | undefined] {
  const at = value.indexOf(separator);
  return at === -1 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

function unknownFlag(rawName: string): string {
  const names = [...flags.map((flag) => flagOf(flag.option)), ...plainFlags.map((name) => `--${name}`)];
  const meant = nearestName(rawName, names);
  return `unknown option ${rawName}${meant ? `; did you mean ${meant}?` : "; see unreloader --help"}`;
}

/** The name as the parser knows it: `log-level`; `reload` although people write `--no-reload`. */
function bareName(flag: Flag): string {
  return flagOf(flag.option).replace(/^--(no-)?/, "");
}

function parserOption(flag: Flag): { type: "boolean" | "string"; short?: string } {
  const type = flag.kind === "switch" || flag.kind === "optional" ? "boolean" : "string";
  return flag.short === undefined ? { type } : { type, short: flag.short };
}

function usageOf(flag: Flag): string {
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  const value = flag.value === undefined ? "" : flag.kind === "optional" ? `[=${flag.value}]` : ` ${flag.value}`;
  return `${short}${flagOf(flag.option)}${value}`;
}
