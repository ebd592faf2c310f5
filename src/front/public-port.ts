/**
 * A port (or path) that is open to clients. It outlives the servers of the app: while a reload closes one and opens the
 * next, the port stays open and new requests wait for the server that adopts it.
 */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { attempt } from "../common/attempt.js";
import { isLackOfDescriptors } from "../common/compile/descriptor-reserve.js";
import { addressBeforeOpen } from "../common/protocol/address-before-open.js";
import type { Credentials } from "../common/protocol/credentials.js";
import type { ListenTarget, PublicAddress, ServerKind } from "../common/protocol/messages.js";
import { ClientConnection } from "./client-connection.js";
import type { ConnectionTraits, Relay } from "./relay.js";
import type { DropCopy, InheritedPort } from "./socket-copies.js";
import type { AppServer } from "./upstream.js";

export class PublicPort {
  #target: ListenTarget;
  /** From accept until the client's socket has closed or an own page answers it. */
  readonly connections = new Set<ClientConnection>();
  readonly #relay: Relay;
  readonly #listener: Server;
  #server: AppServer | undefined;
  #kind: ServerKind;
  #credentials: Credentials | undefined;
  #address: PublicAddress | undefined;
  /** Of its socket, for a process that takes the place of this one. */
  #dropCopy: DropCopy | undefined;
  /** Settles when nobody can connect any more; undefined: that is so, or the port is open. */
  #closing: Promise<void> | undefined;
  /** "hidden": it takes only what comes from within this process. "givenUp": closed, as no code is there for what would come. */
  #life: "open" | "hidden" | "closed" | "givenUp" = "open";

  constructor(target: ListenTarget, kind: ServerKind, relay: Relay) {
    this.#target = target;
    this.#kind = kind;
    this.#relay = relay;
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.accept(client);
      relay.lack.accepted();
    });
  }

  get target(): ListenTarget {
    return this.#target;
  }

  /** Whether clients can reach it. */
  get isPublic(): boolean {
    return this.#life !== "hidden";
  }

  /** The server of the app behind this port; undefined while it waits for one. */
  get server(): AppServer | undefined {
    return this.#server;
  }

  get kind(): ServerKind {
    return this.#kind;
  }

  /** Of the server that it has, or had last. */
  get credentials(): Credentials | undefined {
    return this.#credentials;
  }

  /** What `server.address()` gives. */
  get address(): PublicAddress {
    if (this.#address === undefined) throw new Error("the port is not open");
    return this.#address;
  }

  /** Opens the port, as number `number` when the target leaves the choice. Rejects with Node's own error. */
  async open(number?: number): Promise<PublicAddress> {
    const { copies } = this.#relay;
    // It may be the same port.
    if (copies?.dropping) await copies.dropping;
    const options = listenOptions(this.#target);
    await this.#listen(number === undefined ? options : { ...options, port: number });
    this.#dropCopy = copies?.keep(this.#listener, this.#target, this.#kind);
    return this.address;
  }

  /** Opens the port with the socket that another process has left open. Rejects with Node's own error. */
  async inherit({ socket, dropCopy }: InheritedPort): Promise<PublicAddress> {
    await this.#listen(socket);
    const { path } = this.#target as { readonly path?: string };
    this.#dropCopy = () => {
      // Node removes only what it has made itself.
      if (path !== undefined && process.platform !== "win32") attempt(() => rmSync(path, { force: true }));
      return dropCopy();
    };
    return this.address;
  }

  async #listen(options: object): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.once("error", reject);
      this.#listener.listen(options, () => {
        this.#listener.off("error", reject);
        // An accept that fails concerns one client; the port stays open.
        this.#listener.on("error", (error: NodeJS.ErrnoException) => {
          if (isLackOfDescriptors(error)) this.#relay.lack.met(error.code ?? "");
        });
        resolve();
      });
    });
    this.#address = (this.#listener.address() as PublicAddress | null) ?? nameless(this.#target);
  }

  /** Takes only what comes from within this process. Gives the address that the app is told. */
  openHidden(): PublicAddress {
    this.#life = "hidden";
    this.#address = addressBeforeOpen(this.#target);
    return this.#address;
  }

  /** Opens a hidden port after all, at `target`. Rejects with Node's own error. */
  async show(target: ListenTarget): Promise<PublicAddress> {
    this.#target = target;
    const address = await this.open();
    this.#life = "open";
    return address;
  }

  /** `server` answers from now on; requests that waited for it go on. */
  adopt(server: AppServer): void {
    const before = this.#server;
    this.#server = server;
    this.#credentials = server.credentials;
    if (this.#kind !== server.kind) {
      // What was said on open connections so far is another protocol's. What an older worker has begun goes on there.
      const begun = (connection: ClientConnection) =>
        before !== undefined && connection.app.exchange.useOf(before.epoch) !== undefined;
      for (const connection of this.connections) if (!begun(connection)) connection.destroy();
      this.#kind = server.kind;
    }
    if (before !== undefined) this.#serverChanged();
    this.#relay.pages.endIdle();
    this.wake();
  }

  /** The server's worker does not answer any more: what it has begun is left to it, the rest waits for another one. */
  abandon(): void {
    this.#server = undefined;
    this.#serverChanged();
  }

  #serverChanged(): void {
    for (const connection of [...this.connections]) connection.app.serverChanged();
  }

  /** The server is gone; new requests wait for another one. */
  release(): void {
    this.#server = undefined;
  }

  /** Lets every waiting request ask the gate again. */
  wake(): void {
    for (const connection of this.connections) connection.wake();
  }

  /** Takes the clients of a port that this one replaces. */
  takeOver(before: PublicPort): void {
    for (const connection of before.connections) {
      connection.app.port = this;
      this.connections.add(connection);
    }
    before.connections.clear();
  }

  /** No new connections; what is open goes on as before. */
  stopAccepting(): void {
    this.#stopAccepting(() => undefined);
  }

  /** The copy first: what would come to that alone would wait for nobody. */
  #stopAccepting(onStopped: () => void): void {
    const dropped = this.#dropCopy?.() ?? this.#closing;
    this.#dropCopy = undefined;
    const stop = (): void => {
      this.#closing = undefined;
      this.#listener.close();
      onStopped();
    };
    if (dropped === undefined) stop();
    else this.#closing = dropped.then(stop);
  }

  get closing(): Promise<void> | undefined {
    return this.#closing;
  }

  /** Stops accepting. Connections that a server of the app still holds are left to it, the others are closed. */
  close(): void {
    if (!this.closed) this.#end("closed");
  }

  /** As `close`, since no code is there any more for what would come: idle connections of its last server are closed too. */
  giveUp(): void {
    if (!this.closed) this.#end("givenUp");
  }

  #end(life: "closed" | "givenUp"): void {
    this.#life = life;
    this.#server = undefined;
    this.#stopAccepting(() => {
      for (const connection of [...this.connections]) connection.portClosed();
    });
  }

  get givenUp(): boolean {
    return this.#life === "givenUp";
  }

  get closed(): boolean {
    return this.#life === "closed" || this.givenUp;
  }

  /** Takes a connection that did not come in here: a host's, or one from within this process. */
  accept(client: Duplex, traits: ConnectionTraits = {}): void {
    // What a host hands over is a socket or is made like one (TLS).
    this.connections.add(new ClientConnection(client as Socket, this, this.#relay, traits));
  }
}

function listenOptions(target: ListenTarget): object {
  const { type: _, ...options } = target;
  return options;
}

/**
 * Node knows no address of a descriptor that is a unix socket, and the app's `server.address()` gives null. Nor does it know
 * the path of a socket that another process has left open.
 */
function nameless(target: ListenTarget): string {
  if (target.type === "path") return target.path;
  return target.type === "fd" ? `descriptor ${target.fd}` : "an address without a name";
}
