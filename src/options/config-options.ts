/** Written from option-table.ts by `npm run docs:tables`. */
import type { Logger } from "../reports/logger.js";

/** What a configuration file may say. */
export interface ConfigOptions {
  /**
   * The app's own main file, unmodified.
   * On the command line it stands by itself: `unreloader src/server.ts`.
   */
  entry?: string | undefined;
  /**
   * Arguments of the app: its `process.argv.slice(2)`.
   * On the command line they follow `--`.
   */
  args?: string[] | undefined;
  /**
   * Public port of the first server; 0 takes a free one.
   * Default: the app's own choice.
   */
  port?: number | undefined;
  /**
   * Public host of the first server.
   * Default: the app's own choice.
   */
  host?: string | undefined;
  /**
   * Take the next free port when the wanted one is taken, and say so.
   * Not with `--no-reload`, where the app opens its ports itself.
   * Default: `false`.
   */
  portFallback?: boolean | undefined;
  /**
   * Export to serve if the entry starts no server.
   * Default: `default`, `app`, `handler` or `server`.
   */
  app?: string | undefined;
  /**
   * Project root.
   * What lies below it, outside of node_modules, is your own code.
   * Default: the folder of the nearest package.json.
   */
  root?: string | undefined;
  /**
   * Files, globs or folders to load before the entry and to monitor.
   * Relative to the project root.
   */
  require?: string | string[] | undefined;
  /**
   * Purge only these classes and their descendants, reopen the others.
   * Default: all classes.
   */
  subclasses?: string | string[] | undefined;
  /**
   * A change in DEP reloads FILE, or FILE,FILE.
   * Relative to the project root.
   */
  depend?: Record<string, string | string[]> | undefined;
  /**
   * Load FILE into the app's environment.
   * What is set already stays. A change restarts the worker, as one of Node's own `--env-file` does, and of what dotenv reads. When FILE is missing, Node ends with its own message and 9: it looks at this flag before us.
   */
  envFile?: string | string[] | undefined;
  /**
   * What a change reloads: affected modules, the whole app, a worker, a function.
   * `function`: [bodies of functions](reload.md#bodies-of-functions) where these will do, else as `affected`.
   * Default: `affected`.
   */
  scope?: "function" | "affected" | "app" | "worker" | undefined;
  /**
   * Least time between two automatic checks; off: reload only when told.
   * Default: `0` milliseconds.
   */
  cooldown?: number | "off" | undefined;
  /**
   * Notice changes by events or poll; auto tests the file system.
   * File systems without events are those of Docker's shared folders, NFS and the like.
   * Default: `auto`.
   */
  watch?: "auto" | "events" | "poll" | undefined;
  /**
   * Never monitor these files.
   * Relative to the working folder, or anywhere when a glob begins with `**`.
   */
  ignore?: string | string[] | undefined;
  /**
   * False, for production: the app runs in the main thread and is never reloaded.
   * Default: `true`.
   */
  reload?: boolean | undefined;
  /**
   * False: load at once what the app autoloads.
   * Default: `true`.
   */
  autoload?: boolean | undefined;
  /**
   * While the newest code is broken: page of the error, or last-good code.
   * Requests get a page that shows the error, or the answers of the last good generation.
   * Default: `page`.
   */
  onError?: "page" | "last-good" | undefined;
  /**
   * Fresh worker when a package, or anything else, keeps something of a purged module.
   * Default: `false`.
   */
  strictPurge?: boolean | undefined;
  /**
   * Open connections of ws and socket.io whose listener is replaced: move, close, keep.
   * They get the new version's listener, are closed with 1012, or stay with the old code ([sockets](reload.md#open-sockets)).
   * Default: `move`.
   */
  sockets?: "move" | "close" | "keep" | undefined;
  /**
   * 504 for the requests of a worker that is blocked for so long; off: never.
   * Default: `10000` milliseconds.
   */
  watchdog?: number | "off" | undefined;
  /**
   * How long what has begun may go on when its worker is to end.
   * Default: 30000; at a signal 5000.
   */
  drain?: number | undefined;
  /**
   * End when the app ends by itself, with its code, as node would.
   * Default: `false`.
   */
  exit?: boolean | undefined;
  /**
   * How long a request may be held; then it gets 503.
   * Default: `60000` milliseconds.
   */
  heldDeadline?: number | undefined;
  /**
   * How many bytes of requests may be held in all; more get 503.
   * Default: 64 MiB.
   */
  heldBytes?: number | undefined;
  /**
   * False: keep no second thread ready for a fresh worker.
   * Default: `true`.
   */
  standby?: boolean | undefined;
  /**
   * False: no launcher, which starts another process when the system ends this one.
   * Only on the command line, and not on Windows.
   * Default: `true`.
   */
  launcher?: boolean | undefined;
  /**
   * False: read no single keys from the terminal.
   * Keys are read only while the app does not read the terminal.
   * Default: `true`.
   */
  keys?: boolean | undefined;
  /**
   * Clear the terminal before each report, so that only the newest is seen.
   * Only on a terminal, which keeps what was there to scroll back to.
   * Default: `false`.
   */
  clear?: boolean | undefined;
  /**
   * False: no /__unreloader/, neither panel nor endpoints.
   * They answer clients on this machine only.
   * Default: `true`.
   */
  panel?: boolean | undefined;
  /**
   * Let a debugger attach to the app, at 127.0.0.1:9229 unless told otherwise.
   * Default: `false`.
   */
  inspect?: boolean | number | string | undefined;
  /**
   * Say for every reloaded file why it was reloaded.
   * Default: `false`.
   */
  why?: boolean | undefined;
  /**
   * Least level of lines: debug, info, warn, error or silent.
   * Default: info, or debug with a logger.
   */
  logLevel?: "debug" | "info" | "warn" | "error" | "silent" | undefined;
  /**
   * Pretty lines, or json: one object a line, with the fields of the events.
   * Each has `time`, `level`, `event` and the `id` of the supervisor; schema/lines.json of the package has all of it.
   * Default: `pretty`.
   */
  logFormat?: "pretty" | "json" | undefined;
  /**
   * Only warnings and errors: as the log level warn.
   * Default: `false`.
   */
  quiet?: boolean | undefined;
  /**
   * Where lines go instead of the terminal.
   * Default: the terminal.
   */
  logger?: Logger | undefined;
  /** Modules that export adapters of your own: files or installed packages. */
  adapters?: string | string[] | undefined;
}

/** What `createSupervisor` takes. */
export type SupervisorOptions = ConfigOptions & { entry: string };
