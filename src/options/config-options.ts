/** Written from option-table.ts by `npm run docs:tables`. */
import type { Logger } from "../reports/logger.js";

/** What a configuration file may say. */
export interface ConfigOptions {
  /**
   * The app's own main file, unmodified.
   * On the command line it stands by itself: `unreloader src/server.ts`.
   *
   * What fits: the path of the app's main file.
   * @default none
   * @example entry: "src/server.ts"
   */
  entry?: string | undefined;
  /**
   * Arguments of the app: its `process.argv.slice(2)`.
   * On the command line they follow `--`.
   *
   * What fits: a list of strings.
   * @default none
   * @example args: ["--config", "dev.json"]
   */
  args?: string[] | undefined;
  /**
   * Public port of the first server; 0 takes a free one.
   *
   * What fits: a whole number from 0 to 65535.
   * @default the app's own choice
   * @example port: 8080
   */
  port?: number | undefined;
  /**
   * Public host of the first server.
   *
   * What fits: a host name or an address.
   * @default the app's own choice
   * @example host: "0.0.0.0"
   */
  host?: string | undefined;
  /**
   * Take the next free port when the wanted one is taken, and say so.
   * Not with `--no-reload`, where the app opens its ports itself.
   *
   * What fits: true or false.
   * @default `false`
   * @example portFallback: true
   */
  portFallback?: boolean | undefined;
  /**
   * Export to serve if the entry starts no server.
   *
   * What fits: the name of an export.
   * @default `default`, `app`, `handler` or `server`
   * @example app: "api"
   */
  app?: string | undefined;
  /**
   * Project root.
   * What lies below it, outside of node_modules, is your own code.
   *
   * What fits: a folder.
   * @default the folder of the nearest package.json
   * @example root: ".."
   */
  root?: string | undefined;
  /**
   * Files, globs or folders to load before the entry and to monitor.
   * Relative to the project root.
   *
   * What fits: files, folders or globs.
   * @default none
   * @example require: ["models", "jobs/*.ts"]
   */
  require?: string | string[] | undefined;
  /**
   * Purge only these classes and their descendants, reopen the others.
   *
   * What fits: class names, such as Model or sequelize#Model.
   * @default all classes
   * @example subclasses: ["Model", "sequelize#Model"]
   */
  subclasses?: string | string[] | undefined;
  /**
   * A change in DEP reloads FILE, or FILE,FILE.
   * Relative to the project root.
   *
   * What fits: files for each dependency, such as { views: ['src/app.ts'] }.
   * @default none
   * @example depend: { views: ["src/app.ts"] }
   */
  depend?: Record<string, string | string[]> | undefined;
  /**
   * Load FILE into the app's environment.
   * What is set already stays. A change restarts the worker, as one of Node's own `--env-file` does, and of what dotenv reads. When FILE is missing, Node ends with its own message and 9: it looks at this flag before us.
   *
   * What fits: files.
   * @default none
   * @example envFile: [".env", ".env.local"]
   */
  envFile?: string | string[] | undefined;
  /**
   * What a change reloads: affected modules, the whole app, a worker, a function.
   * `function`: [bodies of functions](reload.md#bodies-of-functions) where these will do, else as `affected`.
   *
   * What fits: function, affected, app or worker.
   * @default `affected`
   * @example scope: "app"
   */
  scope?: "function" | "affected" | "app" | "worker" | undefined;
  /**
   * Least time between two automatic checks; off: reload only when told.
   *
   * What fits: milliseconds (0 or more) or off.
   * @default `0` milliseconds
   * @example cooldown: "off"
   */
  cooldown?: number | "off" | undefined;
  /**
   * Notice changes by events or poll; auto tests the file system.
   * File systems without events are those of Docker's shared folders, NFS and the like.
   *
   * What fits: auto, events or poll.
   * @default `auto`
   * @example watch: "poll"
   */
  watch?: "auto" | "events" | "poll" | undefined;
  /**
   * Never monitor these files.
   * Relative to the working folder, or anywhere when a glob begins with `**`.
   *
   * What fits: globs.
   * @default none
   * @example ignore: ["src/generated"]
   */
  ignore?: string | string[] | undefined;
  /**
   * False, for production: the app runs in the main thread and is never reloaded.
   *
   * What fits: true or false.
   * @default `true`
   * @example reload: false
   */
  reload?: boolean | undefined;
  /**
   * False: load at once what the app autoloads.
   *
   * What fits: true or false.
   * @default `true`
   * @example autoload: false
   */
  autoload?: boolean | undefined;
  /**
   * While the newest code is broken: page of the error, or last-good code.
   * Requests get a page that shows the error, or the answers of the last good generation.
   *
   * What fits: page or last-good.
   * @default `page`
   * @example onError: "last-good"
   */
  onError?: "page" | "last-good" | undefined;
  /**
   * Fresh worker when a package, or anything else, keeps something of a purged module.
   *
   * What fits: true or false.
   * @default `false`
   * @example strictPurge: true
   */
  strictPurge?: boolean | undefined;
  /**
   * HTML pages load themselves again in the browser when there is newer code.
   * For pages in a browser on this machine.
   *
   * What fits: true or false.
   * @default `false`
   * @example live: true
   */
  live?: boolean | undefined;
  /**
   * Open connections of ws and socket.io whose listener is replaced: move, close, keep.
   * They get the new version's listener, are closed with 1012, or stay with the old code ([sockets](reload.md#open-sockets)).
   *
   * What fits: move, close or keep.
   * @default `move`
   * @example sockets: "close"
   */
  sockets?: "move" | "close" | "keep" | undefined;
  /**
   * 504 for the requests of a worker that is blocked for so long; off: never.
   *
   * What fits: milliseconds (100 or more) or off.
   * @default `10000` milliseconds
   * @example watchdog: 5000
   */
  watchdog?: number | "off" | undefined;
  /**
   * How long what has begun may go on when its worker is to end.
   *
   * What fits: milliseconds (0 to 2147483647).
   * @default 30000; at a signal 5000
   * @example drain: 10_000
   */
  drain?: number | undefined;
  /**
   * End when the app ends by itself, with its code, as node would.
   *
   * What fits: true or false.
   * @default `false`
   * @example exit: true
   */
  exit?: boolean | undefined;
  /**
   * How long a request may be held; then it gets 503.
   *
   * What fits: milliseconds (100 to 2147483647).
   * @default `60000` milliseconds
   * @example heldDeadline: 120_000
   */
  heldDeadline?: number | undefined;
  /**
   * How many bytes of requests may be held in all; more get 503.
   *
   * What fits: bytes (65536 or more).
   * @default 64 MiB
   * @example heldBytes: 16_777_216
   */
  heldBytes?: number | undefined;
  /**
   * False: keep no second thread ready for a fresh worker.
   *
   * What fits: true or false.
   * @default `true`
   * @example standby: false
   */
  standby?: boolean | undefined;
  /**
   * False: no launcher, which starts another process when the system ends this one.
   * Only on the command line, and not on Windows.
   *
   * What fits: true or false.
   * @default `true`
   * @example launcher: false
   */
  launcher?: boolean | undefined;
  /**
   * False: read no single keys from the terminal.
   * Keys are read only while the app does not read the terminal.
   *
   * What fits: true or false.
   * @default `true`
   * @example keys: false
   */
  keys?: boolean | undefined;
  /**
   * Clear the terminal before each report, so that only the newest is seen.
   * Only on a terminal, which keeps what was there to scroll back to.
   *
   * What fits: true or false.
   * @default `false`
   * @example clear: true
   */
  clear?: boolean | undefined;
  /**
   * False: no /__unreloader/, neither panel nor endpoints.
   * They answer clients on this machine only.
   *
   * What fits: true or false.
   * @default `true`
   * @example panel: false
   */
  panel?: boolean | undefined;
  /**
   * Let a debugger attach to the app, at 127.0.0.1:9229 unless told otherwise.
   *
   * What fits: true, false, a port, or HOST:PORT.
   * @default `false`
   * @example inspect: "127.0.0.1:9230"
   */
  inspect?: boolean | number | string | undefined;
  /**
   * Say for every reloaded file why it was reloaded.
   *
   * What fits: true or false.
   * @default `false`
   * @example why: true
   */
  why?: boolean | undefined;
  /**
   * Least level of lines: debug, info, warn, error or silent.
   *
   * What fits: debug, info, warn, error or silent.
   * @default info, or debug with a logger
   * @example logLevel: "debug"
   */
  logLevel?: "debug" | "info" | "warn" | "error" | "silent" | undefined;
  /**
   * Pretty lines, or json: one object a line, with the fields of the events.
   * Each has `time`, `level`, `event` and the `id` of the supervisor; schema/lines.json of the package has all of it.
   *
   * What fits: pretty or json.
   * @default `pretty`
   * @example logFormat: "json"
   */
  logFormat?: "pretty" | "json" | undefined;
  /**
   * Only warnings and errors: as the log level warn.
   *
   * What fits: true or false.
   * @default `false`
   * @example quiet: true
   */
  quiet?: boolean | undefined;
  /**
   * Where lines go instead of the terminal.
   *
   * What fits: an object with methods debug, info, warn and error, or a function (level, message, fields).
   * @default the terminal
   * @example logger: console
   */
  logger?: Logger | undefined;
  /**
   * Modules that export adapters of your own: files or installed packages.
   *
   * What fits: files or packages that export adapters (objects cannot cross to the app's thread).
   * @default none
   * @example adapters: ["./src/my-adapter.ts"]
   */
  adapters?: string | string[] | undefined;
}

/** What `createSupervisor` takes. */
export interface SupervisorOptions extends ConfigOptions {
  /**
   * The app's own main file, unmodified.
   * On the command line it stands by itself: `unreloader src/server.ts`.
   *
   * What fits: the path of the app's main file.
   * @default none
   * @example entry: "src/server.ts"
   */
  entry: string;
}
