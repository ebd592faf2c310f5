/**
 * One listen of one server of the app. The server really listens on a unix socket, through an inner server; what comes
 * in there is handed to the app's server as its own connections.
 */
import { Server, type Socket } from "node:net";
import type { ListenTarget, PublicAddress, ServerKind } from "../../src/protocol/messages.js";
import type { Preface } from "../../src/protocol/preface.js";
import type { HeldRequests } from "./held-requests.js";
import type { InFlight } from "./in-flight.js";
import { serverInternals, socketInternals } from "./node-internals.js";
import { readPreface } from "./preface-reader.js";
import { RelayedConnection } from "./relayed-connection.js";
import { familyOf } from "./shown-addresses.js";
import { VirtualHandle } from "./virtual-handle.js";

/** The server on the unix socket, below the app's. Node listens for it as ever. */
export class UpstreamListener extends Server {}

/** What all virtual servers of a worker share. */
export interface ListenContext {
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly inFlight: InFlight;
  readonly held: HeldRequests;
  /** Runs outside of every async context, so that requests do not inherit the one of the module that listened. */
  readonly outside: <Result>(run: () => Result) => Result;
}

export interface ListenIdentity {
  readonly listenId: number;
  readonly kind: ServerKind;
  readonly target: ListenTarget;
  readonly socketPath: string;
}

/** The kernel may lower it. The front's connections arrive in bursts when many clients wait for a reload. */
const BACKLOG = 4096;

export class VirtualServer {
  readonly server: Server;
  readonly identity: ListenIdentity;
  /** Files that this listen belongs to: a purge of any of them closes it. */
  readonly files: ReadonlySet<string>;
  readonly connections = new Set<RelayedConnection>();
  readonly #context: ListenContext;
  readonly #inner: UpstreamListener;
  readonly #onClosed: (server: VirtualServer) => void;
  #handle: VirtualHandle | undefined;
  #address: PublicAddress | undefined;
  #released = false;
  #successor: VirtualServer | undefined;

  constructor(
    server: Server,
    identity: ListenIdentity,
    files: ReadonlySet<string>,
    context: ListenContext,
    onClosed: (server: VirtualServer) => void,
  ) {
    this.server = server;
    this.identity = identity;
    this.files = files;
    this.#context = context;
    this.#onClosed = onClosed;
    const { highWaterMark } = serverInternals(server);
    this.#inner = new UpstreamListener({ allowHalfOpen: true, ...(highWaterMark !== undefined && { highWaterMark }) });
    this.#inner.on("connection", (socket: Socket) => this.#accept(socket));
  }

  get kind(): ServerKind {
    return this.identity.kind;
  }

  get released(): boolean {
    return this.#released;
  }

  get address(): PublicAddress | undefined {
    return this.#address;
  }

  /** The server that requests on this one's connections go to; undefined while it is released and nobody adopted. */
  get current(): VirtualServer | undefined {
    if (this.#successor !== undefined) return this.#successor.current;
    return this.#released ? undefined : this;
  }

  /** Listens on the unix socket and makes the app's server look like listening. `shown` is its address so far. */
  open(shown: PublicAddress): void {
    this.#context.outside(() => this.#inner.listen(this.identity.socketPath, BACKLOG));
    this.#handle = new VirtualHandle(this.#inner, shown, () => this.#onHandleClose());
    serverInternals(this.server)._handle = this.#handle;
  }

  /** The public port is open. */
  settle(address: PublicAddress): void {
    this.#address = address;
    this.#handle?.settle(address);
    const internals = serverInternals(this.server);
    if (typeof address !== "string") {
      internals._connectionKey = `${address.family === "IPv6" ? 6 : 4}:${address.address}:${address.port}`;
    }
    if (internals._unref) this.#inner.unref();
  }

  /** The public port could not be opened: the app's server is as before `listen()`. */
  refuse(): void {
    if (this.isOpen) serverInternals(this.server)._handle = null;
    this.#inner.close();
  }

  /** The app's server listens, and by this listen. */
  get isOpen(): boolean {
    return this.#handle !== undefined && serverInternals(this.server)._handle === this.#handle;
  }

  /**
   * Closes the app's server for good, on behalf of a purge: requests in flight, upgraded sockets and TLS sessions go on;
   * idle connections are let go, and the front keeps their clients.
   */
  release(): void {
    if (!this.isOpen) return;
    this.#released = true;
    for (const connection of [...this.connections]) connection.letGoIfIdle();
    const { server } = this;
    // Idle TLS connections would be closed too, but their sessions cannot move: their requests go to the successor.
    const keepsIdle = "closeIdleConnections" in server;
    if (keepsIdle) Object.defineProperty(server, "closeIdleConnections", { value: () => {}, configurable: true });
    classOf(server).close.call(server);
    if (keepsIdle) Reflect.deleteProperty(server, "closeIdleConnections");
  }

  /** `successor` has the same public port now. */
  succeed(successor: VirtualServer): void {
    this.#successor = successor;
  }

  #onHandleClose(): void {
    this.#onClosed(this);
  }

  #accept(socket: Socket): void {
    const app = serverInternals(this.server);
    // Counted from accept on, as Node does; the inner server keeps no account of it.
    serverInternals(this.#inner)._connections--;
    const limit = this.server.maxConnections as number | null | undefined;
    const full = typeof limit === "number" && app._connections >= limit;
    const internals = socketInternals(socket);
    internals.server = this.server;
    internals._server = this.server;
    app._connections++;
    socket.allowHalfOpen = app.allowHalfOpen;
    readPreface(socket, (preface) => this.#introduce(socket, preface, full));
  }

  #introduce(socket: Socket, preface: Preface, full: boolean): void {
    const connection = new RelayedConnection(socket, this, preface, this.#context.table, this.#context.inFlight);
    if (full || this.#isBlocked(preface)) {
      if (full) this.server.emit("drop", dropArgument(preface));
      socket.destroy();
      return;
    }
    this.connections.add(connection);
    if (serverInternals(this.server).pauseOnConnect) socket.pause();
    if (this.kind !== "raw") {
      this.server.emit("connection", socket);
      return;
    }
    connection.turnOpaque();
    const hand = () => connection.server.current?.server.emit("connection", socket);
    if (this.#context.held.mustHold(connection)) this.#context.held.hold(connection, hand);
    else hand();
  }

  #isBlocked({ remote }: Preface): boolean {
    const { blockList } = serverInternals(this.server);
    if (blockList === undefined || remote === undefined) return false;
    return blockList.check(remote.address, familyOf(remote.address) === "IPv6" ? "ipv6" : "ipv4");
  }
}

function dropArgument({ remote, local }: Preface): object | undefined {
  if (remote === undefined || local === undefined) return undefined;
  return {
    localAddress: local.address,
    localPort: local.port,
    localFamily: familyOf(local.address),
    remoteAddress: remote.address,
    remotePort: remote.port,
    remoteFamily: familyOf(remote.address),
  };
}

function classOf(server: Server): Server {
  return Object.getPrototypeOf(server) as Server;
}
