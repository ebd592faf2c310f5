/**
 * One listen of one server of the app. The server really listens on a unix socket, through an inner server; what comes
 * in there is handed to the app's server as its own connections.
 */
import { Server, type ServerOpts, type Socket } from "node:net";
import path from "node:path";
import { isLackOfDescriptors } from "../../src/common/compile/descriptor-reserve.js";
import { familyOf } from "../../src/common/protocol/address-before-open.js";
import { SEEN, SLOT_WORDS, slotBase } from "../../src/common/protocol/connection-table.js";
import type { ListenTarget, PublicAddress, ServerKind } from "../../src/common/protocol/messages.js";
import type { Preface } from "../../src/common/protocol/preface.js";
import { ensurePrivateFolder } from "../../src/common/protocol/private-folder.js";
import type { ClusterPrimary, TakeConnection } from "../cluster/cluster-primary.js";
import type { LiveAnswers } from "../live/live-answers.js";
import type { HeldRequests } from "./held-requests.js";
import type { Http2Sessions } from "./http2-sessions.js";
import type { InFlight } from "./in-flight.js";
import { publishSocket, suppressSocket, withoutPublishing } from "./net-channels.js";
import { serverInternals, socketInternals } from "./node-internals.js";
import type { OwnQuestions } from "./own-questions.js";
import { readPreface, startReading } from "./preface-reader.js";
import { RelayedConnection } from "./relayed-connection.js";
import { restoreClose, stubClose } from "./released-servers.js";
import type { SpokenPage } from "./spoken-page.js";
import { VirtualHandle } from "./virtual-handle.js";

/** How soon a server that finds no descriptor to listen with tries again. */
const LACK_RETRY_MS = 5;

/** The server on the unix socket, below the app's. Node listens for it as ever. */
export class UpstreamListener extends Server {
  /** The app's, in whose place it listens. */
  readonly shown: Server;

  constructor(shown: Server, options: ServerOpts) {
    super(options);
    this.shown = shown;
  }
}

/** Tells whose doing what runs now is, and what is no module's doing. */
export interface Attribution {
  /** The version of a module. */
  readonly owner: { readonly purged: boolean } | undefined;
  /** Runs a request. */
  nobodys<Result>(run: () => Result): Result;
  /** What this object of Node calls back is a client's doing. */
  leaveToNobody(resource: object): void;
}

/** What all virtual servers of a worker share. */
export interface ListenContext {
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly inFlight: InFlight;
  readonly held: HeldRequests;
  readonly spoken: SpokenPage;
  readonly sessions: Http2Sessions;
  readonly cluster: ClusterPrimary;
  /** Runs outside of every async context, so that requests do not inherit the one of the module that listened. */
  readonly outside: <Result>(run: () => Result) => Result;
  readonly attribution: Attribution;
  /** Undefined: all paths are the app's. */
  readonly ownQuestions: OwnQuestions | undefined;
  /** Undefined: answers are the app's alone. */
  readonly live: LiveAnswers | undefined;
  /** A released server has no connections any more. */
  onDeserted(server: VirtualServer): void;
}

export interface ListenIdentity {
  readonly listenId: number;
  readonly kind: ServerKind;
  readonly target: ListenTarget;
  readonly socketPath: string;
}

/** Node's own: what the app has put in its place is for the app's servers. */
const { listen } = Server.prototype;

/** The kernel may lower it. The front's connections arrive in bursts when many clients wait for a reload. */
const BACKLOG = 4096;

export class VirtualServer {
  readonly server: Server;
  readonly identity: ListenIdentity;
  /** Files that this listen belongs to: a purge of any of them closes it. */
  readonly files: ReadonlySet<string>;
  readonly connections = new Set<RelayedConnection>();
  readonly #context: ListenContext;
  #inner: UpstreamListener;
  readonly #onClosed: (server: VirtualServer) => void;
  #handle: VirtualHandle | undefined;
  #address: PublicAddress | undefined;
  #released = false;

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
    this.#inner = this.#createInner();
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

  /** Listens on the unix socket and makes the app's server look like listening. `shown` is its address so far. */
  open(shown: PublicAddress): void {
    restoreClose(this.server);
    this.#listenInner();
    this.#handle = new VirtualHandle(this.#inner, shown, () => this.#onHandleClose());
    serverInternals(this.server)._handle = this.#handle;
  }

  /** The file of the unix socket is gone: listens there again. Connections go on. */
  listenAgain(): void {
    this.#inner.close();
    this.#inner = this.#createInner();
    this.#listenInner();
    this.#handle?.moveTo(this.#inner);
    if (serverInternals(this.server)._unref) this.#inner.unref();
  }

  /** The public port is open. */
  opened(address: PublicAddress): void {
    this.#address = address;
    this.#handle?.opened(address);
    const internals = serverInternals(this.server);
    const { target } = this.identity;
    if (typeof address !== "string" && target.type === "port") {
      internals._connectionKey = `${address.family === "IPv6" ? 6 : 4}:${address.address}:${target.port}`;
    }
    if (internals._unref) this.#inner.unref();
  }

  /** The public port could not be opened: the app's server is as before `listen()`. */
  refuse(): void {
    if (this.isOpen) serverInternals(this.server)._handle = null;
    this.#inner.close();
  }

  /** The descriptor that stands for the public one. */
  get fd(): number | undefined {
    return this.isOpen ? this.#handle?.fd : undefined;
  }

  /** The app's server listens, and by this listen. */
  get isOpen(): boolean {
    if (this.#handle === undefined) return false;
    return serverInternals(this.server)._handle === this.#handle || this.#handle.onconnection !== undefined;
  }

  /**
   * Closes the app's server for good, on behalf of a purge: requests in flight, upgraded sockets and TLS sessions go on;
   * idle connections are let go, and the front keeps their clients.
   */
  release(): void {
    if (!this.isOpen) return;
    this.#released = true;
    for (const connection of [...this.connections]) connection.leave();
    const { server } = this;
    // Node would close idle TLS connections too, and from 24 on HTTP/2 sessions. Theirs cannot be continued on another
    // socket: they stay, and their requests go to the successor.
    const kept: Silenced[] = [[server, "closeIdleConnections"]];
    for (const { session } of this.connections) if (session !== undefined) kept.push([session, "close"]);
    withSilenced(kept, () => classOf(server).close.call(server));
    stubClose(server);
    if (this.connections.size === 0) this.#context.onDeserted(this);
  }

  /** `successor` has the same public port now: it gets the connections that stay, and their requests. */
  succeed(successor: VirtualServer): void {
    for (const connection of this.connections) connection.moveTo(successor);
    this.connections.clear();
  }

  dropHeld(connection: RelayedConnection): void {
    if (connection.held > 0) this.#context.held.drop(connection);
  }

  /** A connection has closed. */
  forget(connection: RelayedConnection): void {
    this.connections.delete(connection);
    this.#context.sessions.delete(connection);
    if (this.#released && this.connections.size === 0) this.#context.onDeserted(this);
  }

  #createInner(): UpstreamListener {
    const { highWaterMark } = serverInternals(this.server);
    const inner = new UpstreamListener(this.server, {
      allowHalfOpen: true,
      pauseOnConnect: true,
      ...(highWaterMark !== undefined && { highWaterMark }),
    });
    inner.on("error", (error) => this.#listenLater(inner, error));
    return inner.on("connection", (socket: Socket) => this.#accept(socket, inner));
  }

  #listenInner(): void {
    const { socketPath } = this.identity;
    // A cleaner of temporary files may have been there.
    if (process.platform !== "win32") ensurePrivateFolder(path.dirname(socketPath));
    this.#context.outside(() =>
      withoutPublishing(() => listen.call(this.#inner, { path: socketPath, backlog: BACKLOG })),
    );
  }

  /** Clients have all descriptors: until one is free, those who ask for the app wait. Its server listens as far as it knows. */
  #listenLater(inner: UpstreamListener, error: Error): void {
    if (!isLackOfDescriptors(error)) throw error;
    this.#context.outside(() =>
      setTimeout(() => {
        if (inner === this.#inner && this.isOpen && !inner.listening) this.#listenInner();
      }, LACK_RETRY_MS),
    );
  }

  #onHandleClose(): void {
    this.#onClosed(this);
  }

  #accept(socket: Socket, inner: UpstreamListener): void {
    suppressSocket(socket);
    const app = serverInternals(this.server);
    // Counted from accept on, as Node does; the inner server keeps no account of it.
    serverInternals(inner)._connections--;
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
    if (!this.#isLeased(preface.slot)) {
      socket.destroy();
      return;
    }
    const connection = new RelayedConnection(socket, this, preface, this.#context.table, this.#context.inFlight);
    if (full || this.#isBlocked(preface)) {
      if (full) this.server.emit("drop", dropArgument(preface));
      socket.destroy();
      return;
    }
    if (this.#released) {
      // Accepted before the release and not told of since: another server shall have it.
      connection.letGo();
      return;
    }
    this.connections.add(connection);
    const take = this.#handle?.onconnection;
    if (take) {
      this.#handOver(connection, preface, take);
      return;
    }
    if (!serverInternals(this.server).pauseOnConnect) startReading(socket);
    if (this.kind !== "raw") {
      this.server.emit("connection", socket);
      publishSocket(socket);
      return;
    }
    const { attribution } = this.#context;
    const { _handle } = socketInternals(socket);
    if (_handle) attribution.leaveToNobody(_handle);
    const hand = () => {
      connection.turnOpaque();
      attribution.nobodys(() => connection.server.server.emit("connection", socket));
      publishSocket(socket);
    };
    if (this.#context.held.mustHold(connection) || !connection.claim()) this.#context.held.hold(connection, hand);
    else hand();
  }

  /** A worker of node:cluster gets the connection, when the gate is open. */
  #handOver(connection: RelayedConnection, preface: Preface, take: TakeConnection): void {
    const { cluster, held, inFlight } = this.#context;
    const hand = () => {
      if (connection.socket.destroyed) return;
      if (this.kind !== "http") connection.turnOpaque();
      connection.handedOver();
      cluster.handOver(connection.socket, preface, take, inFlight.beginCall());
    };
    if (held.mustHold(connection) || !connection.claim()) held.hold(connection, hand);
    else hand();
  }

  /** The front has made this connection, and no other with the same slot: anybody of the same user can connect here. */
  #isLeased(slot: number): boolean {
    const { table } = this.#context;
    const base = slotBase(slot);
    return base + SLOT_WORDS <= table.length && Atomics.load(table, base + SEEN) === 0;
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

type Silenced = readonly [object: object, method: string];

/** Runs `run` while the methods do nothing. */
function withSilenced(methods: readonly Silenced[], run: () => void): void {
  const present = methods.filter(([object, method]) => method in object && !Object.hasOwn(object, method));
  for (const [object, method] of present) {
    Object.defineProperty(object, method, { value: () => {}, configurable: true });
  }
  try {
    run();
  } finally {
    for (const [object, method] of present) Reflect.deleteProperty(object, method);
  }
}

function classOf(server: Server): Server {
  return Object.getPrototypeOf(server) as Server;
}
