/** What a host gets of one app: the same whether the app is reloaded in a worker, or runs in the host's own thread. */
import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Patterns, RequireOptions } from "./common/patterns.js";
import type { PublicAddress } from "./common/protocol/bound-address.js";
import type { LeakReport } from "./leaks/leak-report.js";
import type { Inspection } from "./reports/inspection.js";
import type { EmittedEvents, ReloadReport, StaleReferencesReport } from "./reports/report.js";

/** What needs the app is refused with ERR_UNRELOADER_CLOSED after `close()`. */
export interface PublicSupervisor extends EventEmitter<EmittedEvents> {
  /**
   * Starts the thread and evaluates the app. Resolves when the app serves, or when it failed and a page says so.
   * With `reload: false` it rejects with what the app throws: there is no earlier version that could go on.
   */
  start(): Promise<ReloadReport>;

  /**
   * Starts the app on a public port: `port` (127.0.0.1 unless `host` says otherwise), or without one where the app, or for
   * an exported app the option `port`, says. Resolves with the address of the first port once the app listens, be it long
   * after its evaluation, or has failed and a page says so; with undefined when it has nothing to do and never listened.
   * Rejects with Node's own error (EADDRINUSE and the like), or with ERR_UNRELOADER_LISTENING.
   */
  listen(port?: number, host?: string): Promise<PublicAddress | undefined>;

  /** The app as a request handler of the host's own server: `(req, res, next?)`. */
  readonly handler: (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void;

  /** For the `upgrade` event of the host's own server. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

  /** Asks the app, without a port. Relative URLs are relative to its public address. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

  /**
   * Runs the function `name` that the entry exports, itself or in its default export, with clones of `args`; an AbortSignal
   * among them, or as the property `signal` of one, is followed. Rejects with what the function throws, with the reason of
   * an abort, and with ERR_UNRELOADER_CALL, _CLONE, _WORKER_EXIT or _CLOSED. With `reload: false` nothing is cloned.
   */
  call<Result = unknown>(name: string, ...args: readonly unknown[]): Promise<Result>;

  /**
   * Loads files, globs and folders with their subfolders, and monitors them: a file that comes is loaded, one that goes is
   * purged. Paths start from the project root. Before the start, they are loaded with it, before the entry.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) when an argument does not fit, or a plain path does not exist.
   */
  require(paths: Patterns, options?: RequireOptions): Promise<ReloadReport>;

  /**
   * A change of `dependency` loads `files` again, after it. Each is a file, folder or glob, code or not, existing or not, or
   * a list of them; paths start from the project root.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) for what is no path.
   */
  recordDependency(dependency: Patterns, ...files: Patterns[]): void;

  /**
   * `main` loads the files that `parts` match, which make up one class with it: a change, addition or deletion among them
   * evaluates all of them again, as `main` loads them.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) for what is no path.
   */
  recordSplitClass(main: string | URL, ...parts: Patterns[]): void;

  /**
   * Checks now, whatever the cooldown, and applies what has changed. Not held up by what is stuck. With `reload: false`
   * nothing ever changes.
   */
  reload(): Promise<ReloadReport>;

  /** A fresh worker behind the same public ports, whatever is under way; requests wait meanwhile. */
  restart(): Promise<ReloadReport>;

  /** Purges everything that is loaded: the next request, call or `reload()` evaluates all own modules again. */
  clear(): void;

  /** Looks now whether anything that was purged is still reachable; tells what is new by `stale-references` too. */
  checkStaleReferences(): Promise<readonly StaleReferencesReport[]>;

  /**
   * Says what keeps purged code alive, by a heap snapshot: the app stands still while it is taken, requests wait. Waits for
   * a reload that is under way, and for an app that stands at a breakpoint. Concurrent calls share one.
   */
  explainLeak(): Promise<LeakReport[]>;

  /** Gives the app's own listeners for `signal` a turn. */
  signal(signal: NodeJS.Signals): void;

  /**
   * Stops accepting, lets requests finish for up to `deadlineMs` (5000 unless said otherwise), ends every thread and watcher.
   * Idempotent. With `reload: false`, what the app has started besides its servers goes on.
   */
  close(deadlineMs?: number): Promise<void>;

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void>;

  /** Plain data about what runs, for people and tests. */
  inspect(): Inspection;
}
