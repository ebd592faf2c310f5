/** The servers that the app opens, when it runs in this thread: seen at `listen()`, which is called once in their lives. */
import type { Server as HttpServer } from "node:http";
import { type ListenOptions, Server } from "node:net";

export interface ServersOptions {
  /** Overrides of `--port` and `--host`, for the first server; undefined leaves its own choice. */
  readonly address: () => { readonly port: number | undefined; readonly host: string | undefined };
  readonly onListening: (server: Server) => void;
}

type Listen = (this: Server, ...args: unknown[]) => Server;

export class Servers {
  readonly #options: ServersOptions;
  /** Servers that were told to listen and have not closed. */
  readonly #open = new Set<Server>();
  #seen = 0;
  #uninstall: (() => void) | undefined;

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
    this.#uninstall = () => {
      if (prototype.listen === watched) prototype.listen = listen;
    };
  }

  ignore(): void {
    this.#uninstall?.();
    this.#uninstall = undefined;
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
    const closed = this.all().map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const server of this.all()) (server as Partial<HttpServer>).closeIdleConnections?.();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.all(closed), late]);
    clearTimeout(timer);
    for (const server of this.all()) (server as Partial<HttpServer>).closeAllConnections?.();
  }

  #listens(server: Server, args: unknown[]): unknown[] {
    if (!this.#open.has(server)) {
      this.#open.add(server);
      server.once("close", () => this.#open.delete(server));
      server.once("listening", () => this.#options.onListening(server));
    }
    return this.#seen++ === 0 ? withAddress(args, this.#options.address()) : args;
  }
}

/** The arguments of `listen()` with another port and host; those that name a path or a handle stay. Pure. */
export function withAddress(
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
