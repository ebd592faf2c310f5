/**
 * One connection from the front, as the app's server sees it: a socket with the client's addresses. Keeps the words of
 * the connection table that tell the front what goes on: requests begun and finished, and how the socket was closed.
 */
import type { ServerResponse } from "node:http";
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { constants } from "node:os";
import {
  BROKEN,
  CLOSED_ON_PURPOSE,
  DESTROYED,
  ENDED,
  FINISHED,
  FLUSHED,
  LET_GO,
  MOVED,
  OPAQUE,
  RELEASED,
  RESET,
  SEEN,
  STARTED,
  STILL_OPEN,
  slotBase,
  WHOLE_BYTES,
} from "../../src/common/protocol/connection-table.js";
import type { Preface } from "../../src/common/protocol/preface.js";
import type { InFlight, RequestInFlight } from "./in-flight.js";
import { rawSocketOf, sentHead, socketInternals } from "./node-internals.js";
import { showAddresses } from "./shown-addresses.js";
import type { VirtualServer } from "./virtual-server.js";

/** On raw and TLS sockets: the connection they belong to. */
const CONNECTION = Symbol("unreloader.connection");
/** On responses and streams: their request in flight. */
const REQUEST = Symbol("unreloader.request");

interface Tagged {
  [CONNECTION]?: RelayedConnection;
  [REQUEST]?: ResponseInFlight | StreamInFlight;
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
  #opaque = false;
  #closed = false;
  #server: VirtualServer;
  #leaving = false;
  /** Requests that wait in the worker for the gate. */
  held = 0;
  /** One of them came while another one was being answered. */
  #heldBehind = false;
  /** The HTTP/2 session on this connection. */
  session: Http2Session | undefined;

  /** Takes over `socket`, whose preface has been read. */
  constructor(
    socket: Socket,
    server: VirtualServer,
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
    this.addLayer(socket);
    socket.resetAndDestroy = resetOnPurpose;
    afterClose(socket, () => this.#onClose());
  }

  /** The server that answers: the one it came in on, or that one's successor. */
  get server(): VirtualServer {
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
    return !this.#closed && Atomics.load(this.#table, this.#base + BROKEN) === 1;
  }

  get opaque(): boolean {
    return this.#opaque;
  }

  /** The raw socket, and later perhaps a TLS socket on top of it: how they are closed is told to the front. */
  addLayer(socket: Socket): void {
    (socket as Tagged)[CONNECTION] = this;
    socket.end = endOnPurpose as Socket["end"];
    socket.destroy = destroyOnPurpose;
    socket.push = pushUnlessBroken;
  }

  /** Another worker has taken its port: the front sends what has not begun to that one. */
  get moved(): boolean {
    return !this.#closed && Atomics.load(this.#table, this.#base + MOVED) === 1;
  }

  /** Whether a request may begin; then it counts as begun. See MOVED for the order. */
  claim(): boolean {
    if (this.#closed) return true;
    if (!this.#opaque) Atomics.store(this.#table, this.#base + STARTED, this.#started + 1);
    if (!this.moved) return true;
    if (!this.#opaque) Atomics.store(this.#table, this.#base + STARTED, this.#started);
    return false;
  }

  /** The bytes are no requests from now on. */
  turnOpaque(): void {
    this.#opaque = true;
    if (!this.#closed) Atomics.store(this.#table, this.#base + STARTED, OPAQUE);
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
    if (!this.#closed) Atomics.store(this.#table, this.#base + FINISHED, this.#finished);
  }

  /** The answer has left. */
  flushed(request: RequestInFlight): void {
    if (this.#closed) return;
    this.#inFlight.end(request);
    this.#flushed++;
    Atomics.store(this.#table, this.#base + WHOLE_BYTES, this.socket.bytesWritten | 0);
    Atomics.store(this.#table, this.#base + FLUSHED, this.#flushed);
    if (this.#leaving) setImmediate(() => this.#letGoIfIdle());
  }

  /**
   * The server was released: closes the socket, without the client noticing, as soon as nothing is under way on it. A TLS
   * or HTTP/2 session cannot be continued by another socket: it stays.
   */
  leave(): void {
    this.#leaving = this.#server.kind === "http";
    this.#letGoIfIdle();
  }

  moveTo(server: VirtualServer): void {
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

  /** Says how the socket is closed, before it is. Ending may turn into destroying; nothing else is said twice. */
  markClosing(how: number): void {
    if (this.#closed) return;
    const word = this.#base + CLOSED_ON_PURPOSE;
    const before = Atomics.load(this.#table, word);
    if (before === STILL_OPEN || before === ENDED) Atomics.store(this.#table, word, how);
  }

  /** The thread is ending: what the front has been told stays as it is. */
  tellNoMore(): void {
    this.#closed = true;
  }

  #letGoIfIdle(): void {
    if (!this.#leaving || !this.unused || this.socket.writableLength > 0) return;
    // The front can send again what came to an idle connection; what came behind another request stays here.
    if (this.held > 0 && this.#heldBehind) return;
    this.letGo();
  }

  /** The app has nothing of this connection in hands. */
  get unused(): boolean {
    return !this.#opaque && this.#started === this.#flushed;
  }

  #begin(carrier: object, request: ResponseInFlight | StreamInFlight): void {
    if (this.#closed) return;
    (carrier as Tagged)[REQUEST] = request;
    this.#inFlight.begin(request);
    this.#started++;
    if (!this.#opaque) Atomics.store(this.#table, this.#base + STARTED, this.#started);
  }

  #onClose(): void {
    if (this.#started !== this.#flushed) this.#inFlight.endConnection(this);
    if (this.moved) this.#server.dropHeld(this);
    this.#server.forget(this);
    this.#closed = true;
    Atomics.store(this.#table, this.#base + RELEASED, 1);
  }
}

/** The connection behind a socket that a server handed to the app; undefined for sockets that are not relayed. */
export function connectionOf(socket: Socket | null | undefined): RelayedConnection | undefined {
  if (socket === null || socket === undefined) return undefined;
  const raw = rawSocketOf(socket);
  return (socket as Tagged)[CONNECTION] ?? (raw && (raw as Tagged)[CONNECTION]);
}

class ResponseInFlight implements RequestInFlight {
  readonly connection: RelayedConnection;
  readonly since: number;
  readonly #response: ServerResponse;

  constructor(connection: RelayedConnection, since: number, response: ServerResponse) {
    this.connection = connection;
    this.since = since;
    this.#response = response;
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  label(): string {
    const { method = "GET", url = "/" } = this.#response.req;
    // A query may hold what nobody else shall read.
    return `${method} ${url.split("?", 1)[0]}`;
  }

  contentType(): string | undefined {
    // Headers given to `writeHead()` alone are only in the text that was sent.
    return (
      asText(this.#response.getHeader("content-type")) ?? /^content-type: *(.*)$/im.exec(sentHead(this.#response))?.[1]
    );
  }
}

class StreamInFlight implements RequestInFlight {
  readonly connection: RelayedConnection;
  readonly since: number;
  readonly #stream: ServerHttp2Stream;

  constructor(connection: RelayedConnection, since: number, stream: ServerHttp2Stream) {
    this.connection = connection;
    this.since = since;
    this.#stream = stream;
  }

  get headersSent(): boolean {
    return this.#stream.headersSent;
  }

  contentType(): string | undefined {
    return asText(this.#stream.sentHeaders?.["content-type"]);
  }
}

function asText(header: unknown): string | undefined {
  return header === undefined ? undefined : String(header);
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

function endOnPurpose(this: Socket, ...args: Parameters<Socket["end"]>): Socket {
  connectionOf(this)?.markClosing(ENDED);
  return classOf(this).end.apply(this, args);
}

function destroyOnPurpose(this: Socket, error?: Error): Socket {
  connectionOf(this)?.markClosing(DESTROYED);
  return classOf(this).destroy.call(this, error) as Socket;
}

/** The end of the bytes of a client that has broken off is the error that it would be without the front. */
function pushUnlessBroken(this: Socket, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk !== null || !connectionOf(this)?.broken) return classOf(this).push.call(this, chunk, encoding);
  const errno = -constants.errno.ECONNRESET;
  this.destroy(Object.assign(new Error("read ECONNRESET"), { errno, code: "ECONNRESET", syscall: "read" }));
  return false;
}

/** Runs `run` when Node closes the socket. Not by a listener: the app counts those. */
function afterClose(socket: Socket, run: () => void): void {
  const handle = socketInternals(socket)._handle;
  const close = handle?.close;
  if (!handle || !close) {
    process.nextTick(run);
    return;
  }
  handle.close = (closed) =>
    close.call(handle, () => {
      run();
      closed?.();
    });
}

/** The front resets the client's connection; a unix socket itself cannot be reset. */
function resetOnPurpose(this: Socket): Socket {
  connectionOf(this)?.markClosing(RESET);
  return this.destroy();
}

function classOf(socket: Socket): Socket {
  return Object.getPrototypeOf(socket) as Socket;
}
