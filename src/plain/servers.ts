/**
 * The servers that the app opens, when it runs in this thread: seen at `listen()`, which is called once in their lives, and
 * at their creation: one that is created now may listen later, when new servers may be those of the host.
 */
import { type EventEmitter, errorMonitor } from "node:events";
import type { Server as HttpServer } from "node:http";
import { type ListenOptions, Server } from "node:net";
import { START_SETTLED_MS } from "../common/deadlines.js";
import { wait } from "../common/wait.js";

export interface ServersOptions {
  /** Overrides of `--port` and `--host`, for the first server; undefined leaves its own choice. */
  readonly address: () => { readonly port: number | undefined; readonly host: string | undefined };
  readonly onListening: (server: Server) => void;
  /** Calls `onCreate` in the constructor of each server, until the returned function is called. */
  readonly watchCreation: (onCreate: (server: Server) => void) => () => void;
}

type Listen = (this: Server, ...args: unknown[]) => Server;

export class Servers {
  readonly #options: ServersOptions;
  /** Servers that were told to listen and have not closed. */
  readonly #open = new Set<Server>();
  /** Servers that have been created and not been told to listen yet. */
  readonly #created = new Set<Server>();
  /** Called at every step of a server towards listening. */
  readonly #onStep = new Set<() => void>();
  #seen = 0;
  #isClosed = false;
  #uninstall: (() => void) | undefined;
  #ignoreCreation: (() => void) | undefined;

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  /** Looks at every `listen()` of this process until `ignore()`. */
  watch(): void {
    if (this.#uninstall) return;
    const prototype = Server.prototype as unknown as { listen: Listen };
    const { listen } = prototype;
    const servers = this;
    const watched: Listen = function (...args) {
      return listen.apply(this, servers.#listens(this, args));
    };
    prototype.listen = watched;
    if (this.#seen === 0) this.#ignoreCreation ??= this.#options.watchCreation((server) => this.#created.add(server));
    this.#uninstall = () => {
      if (prototype.listen === watched) prototype.listen = listen;
    };
  }

  /** Looks only at servers that have been created until now. */
  ignore(): void {
    if (this.#uninstall === undefined) return;
    this.#uninstall();
    this.#uninstall = undefined;
    this.#ignoreCreation?.();
    for (const server of this.#created) this.#watchOne(server);
  }

  /**
   * Resolves when every server that was told to listen does, or has failed to; when none was told yet, once one that has
   * been created is. A minute is enough for any start.
   */
  async startDone(): Promise<void> {
    let isLate = false;
    let next = (): void => {};
    const onStep = () => next();
    this.#onStep.add(onStep);
    const timer = setTimeout(() => {
      isLate = true;
      next();
    }, START_SETTLED_MS).unref();
    while (!isLate && this.#isStarting()) {
      await new Promise<void>((resolve) => {
        next = resolve;
      });
    }
    clearTimeout(timer);
    this.#onStep.delete(onStep);
    this.#ignoreCreation?.();
    this.#created.clear();
  }

  all(): Server[] {
    return [...this.#open];
  }

  /** Whether any has been told to listen. */
  get any(): boolean {
    return this.#seen > 0;
  }

  /** Stops accepting; connections with a request under way get `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.ignore();
    this.#isClosed = true;
    this.#step();
    const closed = this.all().map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const server of this.all()) (server as Partial<HttpServer>).closeIdleConnections?.();
    await wait(Promise.all(closed), { deadlineMs });
    for (const server of this.all()) (server as Partial<HttpServer>).closeAllConnections?.();
  }

  #isStarting(): boolean {
    if (this.#isClosed) return false;
    if (this.#seen === 0) return this.#created.size > 0;
    return [...this.#open].some((server) => !server.listening);
  }

  #step(): void {
    for (const onStep of this.#onStep) onStep();
  }

  /** A server of the app listens when the servers of this process are no longer looked at. */
  #watchOne(server: Server): void {
    const { listen } = server as unknown as { listen: Listen };
    const servers = this;
    const value: Listen = function (...args) {
      Reflect.deleteProperty(server, "listen");
      return listen.apply(this, servers.#listens(this, args));
    };
    if (!Object.hasOwn(server, "listen"))
      Object.defineProperty(server, "listen", { configurable: true, writable: true, value });
  }

  #listens(server: Server, args: unknown[]): unknown[] {
    this.#created.delete(server);
    if (!this.#open.has(server)) {
      this.#open.add(server);
      server.once("close", () => {
        this.#open.delete(server);
        this.#step();
      });
      // What becomes of the error is up to the app.
      (server as EventEmitter).once(errorMonitor, () => {
        if (!server.listening) this.#open.delete(server);
        this.#step();
      });
      server.once("listening", () => {
        this.#options.onListening(server);
        this.#step();
      });
    }
    return this.#seen++ === 0 ? withAddress(args, this.#options.address()) : args;
  }
}

/** The arguments of `listen()` with another port and host; those that name a path or a handle stay. Pure. */
function withAddress(
  args: readonly unknown[],
  { port, host }: { readonly port: number | undefined; readonly host: string | undefined },
): unknown[] {
  if (port === undefined && host === undefined) return [...args];
  const given = listenOptions(args);
  if (given === undefined) return [...args];
  const callback = args.findLast((arg) => typeof arg === "function");
  const options = { ...given, port: port ?? given.port ?? 0, ...(host !== undefined && { host }) };
  return callback === undefined ? [options] : [options, callback];
}

/** `listen(port, host, backlog)`, `listen({ port, host })` or `listen()`; undefined for a path or a handle. */
function listenOptions(args: readonly unknown[]): ListenOptions | undefined {
  const [first, second, third] = args;
  if (typeof first === "object" && first !== null)
    return "port" in first || !("path" in first || "fd" in first || "_handle" in first)
      ? (first as ListenOptions)
      : undefined;
  if (typeof first === "string" && !/^\d+$/.test(first)) return undefined;
  return {
    ...(first !== undefined && typeof first !== "function" && { port: Number(first ?? 0) }),
    ...(typeof second === "string" && { host: second }),
    ...(typeof second === "number" ? { backlog: second } : typeof third === "number" && { backlog: third }),
  };
}
