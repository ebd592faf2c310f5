/** The ports that are open to clients, and those that are closed and still have connections. */
import type { ClientConnection } from "./client-connection.js";
import type { PublicPort } from "./public-port.js";

export class OpenPorts {
  readonly #open = new Set<PublicPort>();
  /** Ports that are closed but still have open connections, until the last of those is gone. */
  readonly #closed = new Set<PublicPort>();
  /** Who waits for a server that answers; each is called once. */
  #onServed: (() => void)[] = [];

  /** Those that are open, in the order in which they were opened. */
  get all(): readonly PublicPort[] {
    return [...this.#open];
  }

  get any(): boolean {
    return this.#open.size > 0;
  }

  /** Those that clients can reach. */
  get public(): PublicPort[] {
    return this.all.filter((port) => port.isPublic);
  }

  /** The first HTTP server of the app that answers; requests from within this process go to it. */
  get serving(): PublicPort | undefined {
    for (const port of this.#open) if (port.kind === "http" && port.server !== undefined) return port;
    return undefined;
  }

  /** The port behind which this server is. */
  of(listenId: number): PublicPort | undefined {
    for (const port of this.#open) if (port.server?.listenId === listenId) return port;
    return undefined;
  }

  add(port: PublicPort): void {
    this.#open.add(port);
  }

  close(port: PublicPort): void {
    this.#open.delete(port);
    port.close();
    for (const closed of this.#closed) if (closed.connections.size === 0) this.#closed.delete(closed);
    if (port.connections.size > 0) this.#closed.add(port);
  }

  /** Those too that are closed and have connections. */
  *everyPort(): Iterable<PublicPort> {
    yield* this.#open;
    yield* this.#closed;
  }

  *connections(): Iterable<ClientConnection> {
    for (const port of this.everyPort()) yield* port.connections;
  }

  /** Resolves when another server answers, or after `timeoutMs`. */
  nextServer(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs).unref();
      this.#onServed.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** A server may answer that did not before. */
  served(): void {
    const waiting = this.#onServed;
    this.#onServed = [];
    for (const resolve of waiting) resolve();
  }
}
