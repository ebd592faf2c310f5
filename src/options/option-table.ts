/**
 * Every option of `createSupervisor`, of the configuration file and of the command line, once. The checks, the flags,
 * `--help`, the types (config-options.ts), docs/options.md and the JSON schema come from this table:
 * `npm run docs:tables` writes the last three.
 */
import { HELD_DEADLINE_MS, WATCHDOG_MS } from "../common/deadlines.js";
import * as z from "../common/protocol/zod.js";
import type { Logger } from "../reports/logger.js";
import { DEFAULT_HELD_BYTES } from "./defaults.js";
import { parseInspectAddress } from "./inspect-address.js";
import {
  bytes,
  choice,
  milliseconds,
  millisecondsOrOff,
  nonEmpty,
  type OptionRow,
  oneOrMore,
  onOrOff,
  row,
  text,
  texts,
  wholeNumber,
} from "./option-row.js";

export const optionTable = {
  entry: row({
    ...text("the path of the app's main file"),
    doc: "the app's own main file, unmodified",
    example: '"src/server.ts"',
    more: "On the command line it stands by itself: `unreloader src/server.ts`.",
  }),
  args: row({
    schema: z.array(z.string()),
    fits: "a list of strings",
    default: [],
    doc: "arguments of the app: its `process.argv.slice(2)`",
    example: '["--config", "dev.json"]',
    more: "On the command line they follow `--`.",
  }),
  port: row({
    ...wholeNumber(0, 65535),
    otherwise: "the app's own choice",
    flag: { kind: "number", short: "p", value: "N" },
    doc: "public port of the first server; 0 takes a free one",
    example: "8080",
  }),
  host: row({
    ...text("a host name or an address"),
    otherwise: "the app's own choice",
    flag: { kind: "text", short: "H", value: "H" },
    doc: "public host of the first server",
    example: '"0.0.0.0"',
  }),
  portFallback: row({
    ...onOrOff(),
    default: false,
    flag: { kind: "switch" },
    doc: "take the next free port when the wanted one is taken, and say so",
    more: "Not with `--no-reload`, where the app opens its ports itself. See [a port that is taken](#a-port-that-is-taken).",
  }),
  app: row({
    ...text("the name of an export"),
    otherwise: "`default`, `app`, `handler` or `server`",
    flag: { kind: "text", value: "NAME" },
    doc: "export to serve if the entry starts no server",
    example: '"api"',
  }),
  root: row({
    ...text("a folder"),
    otherwise: "the folder of the nearest package.json",
    flag: { kind: "text", value: "DIR" },
    doc: "project root",
    example: '".."',
    more: "What lies below it, outside of node_modules, is your own code.",
  }),
  require: row({
    ...texts("files, folders or globs"),
    default: [],
    flag: { kind: "list", value: "GLOB" },
    doc: "files, globs or folders to load before the entry and to monitor",
    example: '["models", "jobs/*.ts"]',
    more: "Relative to the project root. See [files that nobody imports](app-api.md#files-that-nobody-imports).",
  }),
  subclasses: row({
    // Any text: names that fit nothing are reported while the app runs, and ignored.
    schema: z.union([
      z.pipe(
        z.string(),
        z.transform((only: string) => [only]),
      ),
      z.array(z.string()),
    ]),
    fits: "class names, such as Model or sequelize#Model",
    otherwise: "all classes",
    flag: { kind: "names", value: "A,B" },
    doc: "purge only these classes and their descendants, reopen the others",
    example: '["Model", "sequelize#Model"]',
    more: "See [classes](classes-and-clean-up.md#classes).",
  }),
  depend: row({
    schema: z.record(nonEmpty, oneOrMore),
    fits: "files for each dependency, such as { views: ['src/app.ts'] }",
    default: {},
    flag: { kind: "dependency", value: "DEP=FILE" },
    doc: "a change in DEP reloads FILE, or FILE,FILE",
    example: '{ views: ["src/app.ts"] }',
    more: "Relative to the project root. See [recorded dependencies](app-api.md#recorded-dependencies).",
  }),
  envFile: row({
    ...texts("files"),
    default: [],
    flag: { kind: "list", value: "FILE" },
    doc: "load FILE into the app's environment",
    example: '[".env", ".env.local"]',
    more: "What is set already stays. A change restarts the worker, as one of Node's own `--env-file` does, and of what dotenv reads. When FILE is missing, Node ends with its own message and 9: it looks at this flag before us.",
  }),
  scope: row({
    ...choice(["function", "affected", "app", "worker"]),
    default: "affected",
    flag: { kind: "text", value: "WHAT" },
    doc: "what a change reloads: affected modules, the whole app, a worker, a function",
    example: '"app"',
    more: "`function`: [bodies of functions](reload.md#bodies-of-functions) where these will do, else as `affected`.",
  }),
  cooldown: row({
    ...millisecondsOrOff(0),
    default: 0,
    flag: { kind: "number", value: "MS" },
    doc: "least time between two automatic checks; off: reload only when told",
    example: '"off"',
  }),
  watch: row({
    ...choice(["auto", "events", "poll"]),
    default: "auto",
    flag: { kind: "text", value: "HOW" },
    doc: "notice changes by events or poll; auto tests the file system",
    example: '"poll"',
    more: "File systems without events are those of Docker's shared folders, NFS and the like.",
  }),
  ignore: row({
    ...texts("globs"),
    default: [],
    flag: { kind: "list", value: "GLOB" },
    doc: "never monitor these files",
    example: '["src/generated"]',
    more: "Relative to the working folder, or anywhere when a glob begins with `**`.",
  }),
  reload: row({
    ...onOrOff(),
    default: true,
    flag: { kind: "switch" },
    doc: "false, for production: the app runs in the main thread and is never reloaded",
    more: "See [production](production.md).",
  }),
  autoload: row({
    ...onOrOff(),
    default: true,
    flag: { kind: "switch" },
    doc: "false: load at once what the app autoloads",
    more: "See [autoload](app-api.md#autoload).",
  }),
  onError: row({
    ...choice(["page", "last-good"]),
    default: "page",
    flag: { kind: "text", value: "WHAT" },
    doc: "while the newest code is broken: page of the error, or last-good code",
    example: '"last-good"',
    more: "Requests get a page that shows the error, or the answers of the last good generation.",
  }),
  strictPurge: row({
    ...onOrOff(),
    default: false,
    flag: { kind: "switch" },
    doc: "fresh worker when a package, or anything else, keeps something of a purged module",
    more: "See [what is still alive](classes-and-clean-up.md#what-is-still-alive).",
  }),
  live: row({
    ...onOrOff(),
    default: false,
    flag: { kind: "switch" },
    doc: "HTML pages load themselves again in the browser when there is newer code",
    more: "For pages in a browser on this machine. See [live pages](pages.md#live-pages).",
  }),
  sockets: row({
    ...choice(["move", "close", "keep"]),
    default: "move",
    flag: { kind: "text", value: "WHAT" },
    doc: "open connections of ws and socket.io whose listener is replaced: move, close, keep",
    example: '"close"',
    more: "They get the new version's listener, are closed with 1012, or stay with the old code ([sockets](reload.md#open-sockets)).",
  }),
  watchdog: row({
    ...millisecondsOrOff(100),
    default: WATCHDOG_MS,
    flag: { kind: "number", value: "MS" },
    doc: "504 for the requests of a worker that is blocked for so long; off: never",
    example: "5000",
  }),
  drain: row({
    ...milliseconds(0),
    otherwise: "30000; at a signal 5000",
    flag: { kind: "number", value: "MS" },
    doc: "how long what has begun may go on when its worker is to end",
    example: "10_000",
  }),
  exit: row({
    ...onOrOff(),
    default: false,
    flag: { kind: "switch" },
    doc: "end when the app ends by itself, with its code, as node would",
    more: "See [the end](#the-end).",
  }),
  heldDeadline: row({
    ...milliseconds(100),
    default: HELD_DEADLINE_MS,
    flag: { kind: "number", value: "MS" },
    doc: "how long a request may be held; then it gets 503",
    example: "120_000",
  }),
  heldBytes: row({
    ...bytes(65536),
    default: DEFAULT_HELD_BYTES,
    otherwise: "64 MiB",
    flag: { kind: "number", value: "N" },
    doc: "how many bytes of requests may be held in all; more get 503",
    example: "16_777_216",
  }),
  standby: row({
    ...onOrOff(),
    default: true,
    flag: { kind: "switch" },
    doc: "false: keep no second thread ready for a fresh worker",
    more: "See [a fresh worker](reload.md#a-fresh-worker).",
  }),
  launcher: row({
    ...onOrOff(),
    default: true,
    flag: { kind: "switch" },
    doc: "false: no launcher, which starts another process when the system ends this one",
    more: "Only on the command line, and not on Windows. See [a process that is ended](reload.md#a-process-that-is-ended).",
  }),
  keys: row({
    ...onOrOff(),
    default: true,
    flag: { kind: "switch" },
    doc: "false: read no single keys from the terminal",
    more: "Keys are read only while the app does not read the terminal. See [In the terminal](#in-the-terminal).",
  }),
  clear: row({
    ...onOrOff(),
    default: false,
    flag: { kind: "switch" },
    doc: "clear the terminal before each report, so that only the newest is seen",
    more: "Only on a terminal, which keeps what was there to scroll back to.",
  }),
  panel: row({
    ...onOrOff(),
    default: true,
    flag: { kind: "switch" },
    doc: "false: no /__unreloader/, neither panel nor endpoints",
    more: "They answer clients on this machine only. See [endpoints](pages.md#endpoints).",
  }),
  inspect: row({
    schema: z.union([
      z.boolean(),
      z.pipe(wholeNumber(0, 65535).schema, z.transform(String)),
      nonEmpty.check(z.refine((value: string) => parseInspectAddress(value) !== undefined)),
    ]),
    fits: "true, false, a port, or HOST:PORT",
    default: false,
    flag: { kind: "optional", value: "H:P" },
    doc: "let a debugger attach to the app, at 127.0.0.1:9229 unless told otherwise",
    example: '"127.0.0.1:9230"',
    more: "See [debugging](recipes.md#debugging).",
  }),
  why: row({
    ...onOrOff(),
    default: false,
    flag: { kind: "switch" },
    doc: "say for every reloaded file why it was reloaded",
  }),
  logLevel: row({
    ...choice(["debug", "info", "warn", "error", "silent"]),
    otherwise: "info, or debug with a logger",
    flag: { kind: "text", value: "LEVEL" },
    doc: "least level of lines: debug, info, warn, error or silent",
    example: '"debug"',
  }),
  logFormat: row({
    ...choice(["pretty", "json"]),
    default: "pretty",
    flag: { kind: "text", value: "FORMAT" },
    doc: "pretty lines, or json: one object a line, with the fields of the events",
    more: "Each has `time`, `level`, `event` and the `id` of the supervisor; schema/lines.json of the package has all of it.",
    example: '"json"',
  }),
  quiet: row({
    ...onOrOff(),
    default: false,
    flag: { kind: "switch" },
    doc: "only warnings and errors: as the log level warn",
  }),
  logger: row({
    schema: z.custom<Logger>(
      (value) => typeof value === "function" || (typeof value === "object" && value !== null && !Array.isArray(value)),
    ),
    fits: "an object with methods debug, info, warn and error, or a function (level, message, fields)",
    otherwise: "the terminal",
    doc: "where lines go instead of the terminal",
    example: "console",
    more: "See [Logging](#logging).",
  }),
  adapters: row({
    ...texts("files or packages that export adapters (objects cannot cross to the app's thread)"),
    default: [],
    doc: "modules that export adapters of your own: files or installed packages",
    example: '["./src/my-adapter.ts"]',
    more: "See [adapters](adapters.md).",
  }),
} satisfies Record<string, OptionRow>;

type Table = typeof optionTable;
export type OptionName = keyof Table;

export const optionNames = Object.keys(optionTable) as readonly OptionName[];

/** What people may give. */
export type OptionInputs = { [Name in OptionName]: z.input<Table[Name]["schema"]> };

type Checked<Name extends OptionName> = Lists<z.output<Table[Name]["schema"]>>;
/** A list of strings is not changed by those who read it. */
type Lists<Value> = Value extends string[] ? readonly string[] : Value;

/** What was given, checked. Where one string was given for a list, this is a list. */
export type GivenOptions = { [Name in OptionName]?: Checked<Name> };

/** With every default filled in. */
export type OptionValues = {
  readonly [Name in OptionName]: undefined extends Table[Name]["default"] ? Checked<Name> | undefined : Checked<Name>;
};

export const defaultValues = Object.fromEntries(optionNames.map((name) => [name, optionTable[name].default])) as {
  [Name in OptionName]: Table[Name]["default"];
};

const shape = Object.fromEntries(optionNames.map((name) => [name, optionTable[name].schema])) as {
  [Name in OptionName]: Table[Name]["schema"];
};
/** Every option, none of them required. */
export const optionsSchema = z.partial(z.strictObject(shape));

/** The words that an option with a fixed choice takes; none for others. */
export function choicesOf(option: OptionName): readonly string[] {
  const { schema } = optionTable[option];
  return schema instanceof z.ZodMiniEnum ? schema.options : [];
}

/** `logLevel` is `--log-level`; what is on unless refused has the flag that refuses it. */
export function flagOf(option: string): string {
  const isOn = Object.hasOwn(optionTable, option) && optionTable[option as OptionName].default === true;
  if (isOn) return `--no-${option}`;
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
