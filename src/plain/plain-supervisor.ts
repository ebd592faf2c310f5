/**
 * What `reload: false` gives: the same interface over an app that runs in this thread. Nothing is watched, relayed or
 * held; once the app has been loaded, this does nothing until it is called.
 */
import { EventEmitter, once } from "node:events";
import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import { CLOSE_MS } from "../common/deadlines.js";
import { UnreloaderError } from "../common/errors.js";
import { serveExported } from "../common/exported-app/exported-app.js";
import { exportedFunction } from "../common/exported-app/exported-function.js";
import type * as globsModule from "../common/globs.js";
import { ignoreOwnSignal } from "../common/own-signal.js";
import { localSocketPath } from "../common/paths.js";
import type * as patternsModule from "../common/patterns.js";
import type { Patterns, RequireOptions } from "../common/patterns.js";
import type { PublicAddress } from "../common/protocol/messages.js";
import { watchServerCreation } from "../common/server-creation.js";
import type { SocketFetch } from "../front/socket-fetch.js";
import type { LeakReport } from "../leaks/leak-report.js";
import { DEFAULT_HOST } from "../options/defaults.js";
import type { ResolvedOptions } from "../options/options.js";
import type { PublicSupervisor } from "../public-supervisor.js";
import { outcomeOf } from "../reports/edits.js";
import type { Inspection } from "../reports/inspection.js";
import { hostToAsk } from "../reports/listen-reports.js";
import type { EmittedEvents, ListeningReport, ReloadReport, StaleReferencesReport } from "../reports/report.js";
import { NO_TALLY } from "../reports/tally.js";
import { fileVariables } from "../thread/env-files.js";
import type { SocketFolder } from "../thread/socket-folder.js";
import { type AppExports, PlainApp, type Role } from "./plain-app.js";
import { Servers } from "./servers.js";

// Not by an import: that reads every export of node:http, and one of them loads undici (10 MB from Node 22 on).
const { createServer } = process.getBuiltinModule("node:http");

const require = createRequire(import.meta.url);

// Loaded when they are needed, which an app in production never does: its memory is to be that of the app alone.
const patterns = () => require("../common/patterns.js") as typeof patternsModule;

function sourceFiles(globs: readonly string[]): string[] {
  if (globs.length === 0) return [];
  return (require("../common/globs.js") as typeof globsModule).matchingSourceFiles(globs);
}

interface Entrance {
  readonly server: HttpServer;
  readonly folder: SocketFolder;
  readonly fetcher: SocketFetch;
}

export class PlainSupervisor extends EventEmitter<EmittedEvents> implements PublicSupervisor {
  readonly #options: ResolvedOptions;
  readonly #role: Role;
  readonly #app: PlainApp;
  readonly #servers: Servers;
  /** Of the first server. */
  #address: { port: number | undefined; host: string | undefined };
  #exports: AppExports | undefined;
  /** The server of an app that is only exported. */
  #exported: HttpServer | undefined;
  #starting: Promise<ReloadReport> | undefined;
  #closing: Promise<void> | undefined;
  #started = performance.now();
  /** The way in for `fetch`, from its first call on. */
  #entrance: Promise<Entrance> | undefined;

  constructor(options: ResolvedOptions, role: Role) {
    super();
    this.#options = options;
    this.#role = role;
    this.#address = { port: options.port, host: options.host };
    this.#app = new PlainApp(options, sourceFiles(options.require), role);
    this.#servers = new Servers({
      address: () => this.#address,
      onListening: (server) => this.#listens(server),
      watchCreation: watchServerCreation,
    });
  }

  /** Evaluates the app. Rejects with what it throws: there is no earlier version that could go on. */
  start(): Promise<ReloadReport> {
    this.#assertOpen();
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async listen(port?: number, host?: string): Promise<PublicAddress | undefined> {
    if (port !== undefined) this.#address = { port, host: host ?? this.#options.host ?? DEFAULT_HOST };
    await this.start();
    if (this.#exported && !this.#exported.listening) {
      const { fallback } = this.#options;
      this.#servers.watch();
      this.#exported.listen(this.#address.port ?? fallback.port, this.#address.host ?? fallback.host);
      if (this.#role === "host") this.#servers.ignore();
      // Rejects with the server's own error.
      await once(this.#exported, "listening");
    }
    await this.#servers.startDone();
    const [first] = this.#servers.all();
    return first?.address() ?? undefined;
  }

  /** Loads files, globs and folders: before the start with it, before the entry; later at once. Nothing is monitored. */
  async require(paths: Patterns, options: RequireOptions = {}): Promise<ReloadReport> {
    this.#assertOpen();
    const { checkRequireOptions, existingPatterns } = patterns();
    checkRequireOptions("require", options);
    const files = sourceFiles(existingPatterns("require", paths, this.#options.root));
    const started = performance.now();
    await this.#app.require(files);
    return { ...this.#report("unchanged"), durationMs: performance.now() - started };
  }

  /** Nothing is ever reloaded. */
  recordDependency(dependency: Patterns, ...files: Patterns[]): void {
    patterns().placedDependency("recordDependency", [dependency, ...files], this.#options.root);
  }

  /** Nothing is ever reloaded. */
  recordSplitClass(main: string | URL, ...parts: Patterns[]): void {
    const { placedPath, placedPatterns } = patterns();
    placedPath("recordSplitClass", main, this.#options.root);
    placedPatterns("recordSplitClass", parts, this.#options.root);
  }

  /** Nothing is ever reloaded. */
  async reload(): Promise<ReloadReport> {
    this.#assertOpen();
    return this.#report("unchanged");
  }

  /** There is no worker to replace: as `reload()`. */
  restart(): Promise<ReloadReport> {
    return this.reload();
  }

  /** Nothing is ever forgotten. */
  clear(): void {
    this.#assertOpen();
  }

  /** Nothing is ever purged. */
  async checkStaleReferences(): Promise<readonly StaleReferencesReport[]> {
    return [];
  }

  /** Nothing is ever purged. */
  async explainLeak(): Promise<LeakReport[]> {
    return [];
  }

  /**
   * The app gets its signals from Node itself. When its listeners are done can only be seen by what they do last:
   * they send the signal again (as Nest does), end the process, or leave it without anything to do.
   */
  async signal(signal: NodeJS.Signals, deadlineMs = CLOSE_MS): Promise<void> {
    // Besides the one that calls this.
    if (process.listenerCount(signal) <= 1) return;
    await new Promise<void>((resolve) => {
      ignoreOwnSignal(signal, resolve);
      process.once("beforeExit", resolve);
      setTimeout(resolve, deadlineMs).unref();
    });
  }

  /** Whether the app listens for a signal, besides the process. */
  listensFor(signal: NodeJS.Signals): boolean {
    return process.listenerCount(signal) > 1;
  }

  /** Node has called the app's listeners. */
  async deliver(_signal: NodeJS.Signals): Promise<boolean> {
    return true;
  }

  /** Ends by a signal. Resolves with the code to end with. */
  async end(signal: NodeJS.Signals, deadlineMs: number): Promise<number> {
    await Promise.all([this.close(deadlineMs), this.signal(signal, deadlineMs)]);
    return Number(process.exitCode ?? 0);
  }

  readonly handler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void => {
    void this.#enter((server) => server.emit("request", request, response)).catch((error: unknown) => {
      if (next) next(error);
      else response.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" }).end("Internal Server Error");
    });
  };

  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    void this.#enter((server) => {
      if (!server.emit("upgrade", request, socket, head)) socket.destroy();
    }).catch(() => socket.destroy());
  };

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const { fetcher } = await this.#enter((server) => {
      this.#entrance ??= this.#openEntrance(server);
      return this.#entrance;
    });
    return fetcher.fetch(input, init, this.#origin());
  }

  async call<Result = unknown>(name: string, ...args: readonly unknown[]): Promise<Result> {
    await this.start();
    const { run, owner } = exportedFunction(this.#exports ?? {}, name);
    return (await run.apply(owner, [...args])) as Result;
  }

  close(deadlineMs = CLOSE_MS): Promise<void> {
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  inspect(): Inspection {
    return {
      phase: this.#closing ? "closed" : this.#exports ? "running" : "booting",
      generation: this.#exports ? 1 : 0,
      epoch: 0,
      modules: [],
      edges: [],
      classes: {},
      monitored: [],
      autoloads: [],
      draining: 0,
      inFlight: 0,
      staleReferences: [],
      standby: { state: "none" as const, packages: 0, heapBytes: 0, loadMs: 0 },
      tally: NO_TALLY,
      addresses: this.#servers.all().flatMap((server) => server.address() ?? []),
    };
  }

  async #start(): Promise<ReloadReport> {
    this.#started = performance.now();
    const { app, envFiles, inspect } = this.#options;
    for (const [name, value] of Object.entries(fileVariables(envFiles))) process.env[name] ??= value;
    if (inspect) (await import("node:inspector")).open(inspect.port, inspect.host);
    this.#servers.watch();
    try {
      this.#exports = await this.#app.load();
      // As with reloads: an app that serves itself is left alone.
      if (!this.#servers.any) this.#exported = await serveExported(this.#exports, { app });
    } finally {
      // Later servers may be the host's own.
      if (this.#role === "host") this.#servers.ignore();
    }
    return this.#report("restarted");
  }

  async #enter<T>(run: (server: HttpServer) => T): Promise<T> {
    await this.start();
    const server = this.#exported ?? this.#servers.all().find(isHttpServer);
    if (server) return run(server);
    throw new UnreloaderError("ERR_UNRELOADER_NO_APP", "the entry neither listens nor exports an app");
  }

  async #openEntrance(app: HttpServer): Promise<Entrance> {
    const { SocketFetch } = await import("../front/socket-fetch.js");
    const { SocketFolder } = await import("../thread/socket-folder.js");
    const folder = new SocketFolder();
    const socketPath = localSocketPath(folder.path, "fetch");
    const server = createServer((request, response) => app.emit("request", request, response));
    server.listen(socketPath).unref();
    await once(server, "listening");
    return { server, folder, fetcher: new SocketFetch(socketPath) };
  }

  #origin(): string {
    const address = this.#servers.all()[0]?.address();
    return typeof address === "object" && address !== null ? `http://localhost:${address.port}` : "http://localhost";
  }

  #listens(server: Server): void {
    const address = server.address();
    if (address === null) return;
    const durationMs = performance.now() - this.#started;
    this.emit("listening", { ...reachedBy(server, address), modules: 0, durationMs, reloads: false });
  }

  #report(kind: "unchanged" | "restarted"): ReloadReport {
    const code = kind === "unchanged" ? "UR00" : "UR69";
    return {
      kind,
      generation: this.#exports ? 1 : 0,
      epoch: 0,
      code,
      outcome: outcomeOf(code),
      edits: [],
      changed: [],
      purged: [],
      loaded: [],
      why: {},
      kept: 0,
      durationMs: kind === "unchanged" ? 0 : performance.now() - this.#started,
    };
  }

  #assertOpen(): void {
    if (this.#closing) throw new UnreloaderError("ERR_UNRELOADER_CLOSED", "the supervisor is closed: create a new one");
  }

  async #close(deadlineMs: number): Promise<void> {
    await this.#servers.close(deadlineMs);
    const entrance = await this.#entrance;
    await entrance?.fetcher.close();
    entrance?.server.close();
    entrance?.server.closeAllConnections();
    await entrance?.folder.remove();
    this.#app.unload();
  }
}

function isHttpServer(server: Server): server is HttpServer {
  return "requestTimeout" in server;
}

function reachedBy(
  server: Server,
  address: NonNullable<ReturnType<Server["address"]>>,
): Pick<ListeningReport, "protocol" | "host" | "port"> {
  if (typeof address === "string") return { protocol: "path", host: address, port: 0 };
  const protocol = "setSecureContext" in server ? "https" : isHttpServer(server) ? "http" : "tcp";
  return { protocol, host: hostToAsk(address.address), port: address.port };
}
