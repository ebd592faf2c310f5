/**
 * One connection from the front, as the app's server sees it: a socket with the client's addresses. Keeps the words of
 * the connection table that tell the front what goes on: requests begun and finished, and how the socket was closed.
 */
import type { ServerResponse } from "node:http";
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { Server, Socket } from "node:net";
import {
  BROKEN,
  CLOSED_ON_PURPOSE,
  ENDED,
  FINISHED,
  FLUSHED,
  LET_GO,
  MOVED,
  OPAQUE,
  RELEASED,
  SEEN,
  STARTED,
  STILL_OPEN,
  slotBase,
  WHOLE_BYTES,
} from "../../src/common/protocol/connection-table.js";
import type { ServerKind } from "../../src/common/protocol/messages.js";
import type { Preface } from "../../src/common/protocol/preface.js";
import { type InFlight, type RequestInFlight, ResponseInFlight, StreamInFlight } from "./in-flight.js";
import { afterClose, ownerOf, resetOnPurpose, takeSocket } from "./relayed-socket.js";
import { showAddresses } from "./shown-addresses.js";

/** On responses and streams: their request in flight. */
const REQUEST = Symbol("unreloader.request");

interface Tagged {
  [REQUEST]?: RelayedRequest;
}

type RelayedRequest = RequestInFlight<RelayedConnection>;

/** The server of the app that a connection came in on, or that one's successor. */
export interface ConnectionServer {
  readonly server: Server;
  readonly kind: ServerKind;
  readonly released: boolean;
  readonly connections: Set<RelayedConnection>;
  /** Its requests that wait are sent elsewhere by the front. */
  dropHeld(connection: RelayedConnection): void;
  /** It has closed. */
  forget(connection: RelayedConnection): void;
}

export class RelayedConnection {
  readonly socket: Socket;
  /** Value of the clock of requests when the connection came, in milliseconds. */
  readonly since: number;
  /** The client's address, as far as it has one. */
  readonly remote: Preface["remote"];
  readonly #table: Int32Array<SharedArrayBuffer>;
  readonly #base: number;
  readonly #inFlight: InFlight;
  #started = 0;
  #finished = 0;
  #flushed = 0;
  /** The bytes are no requests any more. */
  #opaque = false;
  /** leaving: its server was released, and it closes when it is idle. closed: the front is told nothing any more. */
  #phase: "open" | "leaving" | "closed" = "open";
  #server: ConnectionServer;
  /** Requests that wait in the worker for the gate. */
  held = 0;
  /** One of them came while another one was being answered. */
  #heldBehind = false;
  /** The HTTP/2 session on this connection. */
  session: Http2Session | undefined;

  /** Takes over `socket`, whose preface has been read. */
  constructor(
    socket: Socket,
    server: ConnectionServer,
    preface: Preface,
    table: Int32Array<SharedArrayBuffer>,
    inFlight: InFlight,
  ) {
    this.socket = socket;
    this.since = inFlight.now();
    this.#server = server;
    this.#table = table;
    this.#base = slotBase(preface.slot);
    this.#inFlight = inFlight;
    this.remote = preface.remote;
    Atomics.store(table, this.#base + SEEN, 1);
    showAddresses(socket, preface);
    takeSocket(socket, this);
    socket.resetAndDestroy = resetOnPurpose;
    afterClose(socket, () => this.#onClose());
  }

  /** The server that answers: the one it came in on, or that one's successor. */
  get server(): ConnectionServer {
    return this.#server;
  }

  /** A request waits for the gate. */
  hold(): void {
    if (this.held === 0) this.#heldBehind = false;
    if (!this.unused) this.#heldBehind = true;
    this.held++;
  }

  /** The client has broken off. */
  get broken(): boolean {
    return this.#phase !== "closed" && Atomics.load(this.#table, this.#base + BROKEN) === 1;
  }

  get opaque(): boolean {
    return this.#opaque;
  }

  /** A TLS socket on top of the raw one: how that is closed is told to the front as well. */
  addLayer(socket: Socket): void {
    takeSocket(socket, this);
  }

  /** Another worker has taken its port: the front sends what has not begun to that one. */
  get moved(): boolean {
    return this.#phase !== "closed" && Atomics.load(this.#table, this.#base + MOVED) === 1;
  }

  /** Whether a request may begin; then it counts as begun. See MOVED for the order. */
  claim(): boolean {
    if (this.#phase === "closed") return true;
    if (!this.#opaque) Atomics.store(this.#table, this.#base + STARTED, this.#started + 1);
    if (!this.moved) return true;
    if (!this.#opaque) Atomics.store(this.#table, this.#base + STARTED, this.#started);
    return false;
  }

  /** The bytes are no requests from now on. */
  turnOpaque(): void {
    this.#opaque = true;
    if (this.#phase !== "closed") Atomics.store(this.#table, this.#base + STARTED, OPAQUE);
  }

  /** A request reaches the app. */
  beginResponse(response: ServerResponse): void {
    this.#begin(response, new ResponseInFlight(this, this.#inFlight.now(), response));
  }

  beginStream(stream: ServerHttp2Stream): void {
    this.#begin(stream, new StreamInFlight(this, this.#inFlight.now(), stream));
    const { _destroy } = stream;
    stream._destroy = (error, done) =>
      _destroy.call(stream, error, (failure) => {
        onStreamClose.call(stream);
        done(failure);
      });
  }

  /** The app ends its answer; the last bytes are still to be written. */
  finish(): void {
    this.#finished++;
    if (this.#phase !== "closed") Atomics.store(this.#table, this.#base + FINISHED, this.#finished);
  }

  /** The answer has left. */
  flushed(request: RelayedRequest): void {
    if (this.#phase === "closed") return;
    this.#inFlight.end(request);
    this.#flushed++;
    Atomics.store(this.#table, this.#base + WHOLE_BYTES, this.socket.bytesWritten | 0);
    Atomics.store(this.#table, this.#base + FLUSHED, this.#flushed);
    if (this.#phase === "leaving") setImmediate(() => this.#letGoIfIdle());
  }

  /**
   * The server was released: closes the socket, without the client noticing, as soon as nothing is under way on it. A TLS
   * or HTTP/2 session cannot be continued by another socket: it stays.
   */
  leave(): void {
    if (this.#server.kind !== "http" || this.#phase === "closed") return;
    this.#phase = "leaving";
    this.#letGoIfIdle();
  }

  moveTo(server: ConnectionServer): void {
    this.#server = server;
    server.connections.add(this);
  }

  /** Closes the socket, and the front keeps the client for another server. */
  letGo(): void {
    if (this.socket.destroyed) return;
    this.#server.dropHeld(this);
    this.held = 0;
    this.markClosing(LET_GO);
    this.socket.destroy();
  }

  /**
   * Another process has the socket from now on, and does with it what it likes: the front takes its end for the app's. The
   * one request that is on it counts as begun, and never as finished.
   */
  handedOver(): void {
    this.markClosing(ENDED);
    this.#server.forget(this);
    this.#phase = "closed";
    Atomics.store(this.#table, this.#base + RELEASED, 1);
  }

  /** Says how the socket is closed, before it is. Ending may turn into destroying; nothing else is said twice. */
  markClosing(how: number): void {
    if (this.#phase === "closed") return;
    const word = this.#base + CLOSED_ON_PURPOSE;
    const before = Atomics.load(this.#table, word);
    if (before === STILL_OPEN || before === ENDED) Atomics.store(this.#table, word, how);
  }

  /** The thread is ending: what the front has been told stays as it is. */
  tellNoMore(): void {
    this.#phase = "closed";
  }

  #letGoIfIdle(): void {
    if (this.#phase !== "leaving" || !this.unused || this.socket.writableLength > 0) return;
    // The front can send again what came to an idle connection; what came behind another request stays here.
    if (this.held > 0 && this.#heldBehind) return;
    this.letGo();
  }

  /** The app has nothing of this connection in hands. */
  get unused(): boolean {
    return !this.#opaque && this.#started === this.#flushed;
  }

  #begin(carrier: object, request: RelayedRequest): void {
    if (this.#phase === "closed") return;
    (carrier as Tagged)[REQUEST] = request;
    this.#inFlight.begin(request);
    this.#started++;
    if (!this.#opaque) Atomics.store(this.#table, this.#base + STARTED, this.#started);
  }

  #onClose(): void {
    if (this.#started !== this.#flushed) this.#inFlight.endConnection(this);
    if (this.moved) this.#server.dropHeld(this);
    this.#server.forget(this);
    this.#phase = "closed";
    Atomics.store(this.#table, this.#base + RELEASED, 1);
  }
}

/** The connection behind a socket that a server handed to the app; undefined for sockets that are not relayed. */
export function connectionOf(socket: Socket | null | undefined): RelayedConnection | undefined {
  // Nobody else takes sockets.
  return socket ? (ownerOf(socket) as RelayedConnection | undefined) : undefined;
}

/** Inside `end()`, or later when another answer goes first: all of `response` was handed to the socket. */
export function finishResponse(response: ServerResponse): void {
  const request = (response as Tagged)[REQUEST];
  if (request === undefined) return;
  // Bytes may still be queued in the worker: wait until they have left.
  if (request.connection.socket.writableLength === 0) request.connection.flushed(request);
  else response.once("finish", () => request.connection.flushed(request));
}

function onStreamClose(this: ServerHttp2Stream): void {
  const request = (this as Tagged)[REQUEST];
  request?.connection.finish();
  request?.connection.flushed(request);
}

/** The app calls `response.end()`; only the first call counts. */
export function endResponse(response: ServerResponse): void {
  const request = (response as Tagged)[REQUEST];
  if (request !== undefined && !response.writableEnded) request.connection.finish();
}
