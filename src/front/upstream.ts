/**
 * One connection from the front to a server of the app, over a unix socket, and what the worker says about it in the
 * connection table.
 */
import { connect, type Socket } from "node:net";
import {
  BROKEN,
  CLOSED_ON_PURPOSE,
  FINISHED,
  FLUSHED,
  MOVED,
  OPAQUE,
  SEEN,
  SLOT_WORDS,
  STARTED,
  slotBase,
  WHOLE_BYTES,
} from "../common/protocol/connection-table.js";
import type { Credentials } from "../common/protocol/credentials.js";
import type { ServerKind } from "../common/protocol/messages.js";
import { formatPreface } from "../common/protocol/preface.js";
import { outliveBrokenWrites } from "./broken-writes.js";
import type { SlotLeases } from "./slot-leases.js";

/** A server of the app as one worker opened it. */
export interface AppServer {
  readonly listenId: number;
  readonly kind: ServerKind;
  readonly socketPath: string;
  readonly epoch: number;
  /** Of a TLS server; undefined: nobody else can speak in its place. */
  readonly credentials?: Credentials | undefined;
}

export interface UpstreamEvents {
  /** `bytes` may be reused as soon as this returns. False: stop reading until `resume()`. */
  received(bytes: Buffer): boolean;
  drained(): void;
  /** No more bytes will come. */
  ended(): void;
  /** The connection cannot be made now, as there is no room (`code`); it is tried again until it is abandoned. */
  hasNoRoom(code: string): void;
  /** Nobody listens on the socket path. */
  refused(): void;
}

/** Every upstream reads into the same memory: its bytes are copied out before the next read can happen. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65536);

/** Why a connection is not made now, but may be in a moment. */
const RETRIED = new Set(["EAGAIN", "EMFILE", "ENFILE"]);

/** Connections are queued by the kernel up to a limit; beyond it unix sockets fail where TCP would wait. */
const QUEUE_FULL_RETRY_MS = 5;

export class Upstream {
  readonly server: AppServer;
  readonly #table: Int32Array<SharedArrayBuffer>;
  readonly #leases: SlotLeases;
  readonly #slot: number;
  readonly #base: number;
  readonly #events: UpstreamEvents;
  readonly #preface: string;
  #socket: Socket;
  /** Bytes from the worker so far, modulo 2^32. */
  #received = 0;
  /** The worker's side. Until it is open, bytes that are written are kept in `#early`. */
  #theirs: "connecting" | "open" | "ended" = "connecting";
  /** This side; "abandoned": none of the events come any more. */
  #ours: "open" | "ended" | "abandoned" = "open";
  /** Bytes written before the connection was accepted: written again when the kernel's queue was full. */
  #early: Buffer[] = [];
  /** The words of the slot when it was given back: from then on it may be another connection's. */
  #lastWords: Int32Array | undefined;

  constructor(
    server: AppServer,
    slot: number,
    client: Socket,
    table: Int32Array<SharedArrayBuffer>,
    leases: SlotLeases,
    events: UpstreamEvents,
  ) {
    this.server = server;
    this.#table = table;
    this.#leases = leases;
    this.#slot = slot;
    this.#base = slotBase(slot);
    this.#events = events;
    this.#preface = formatPreface(slot, client.remoteAddress, client.remotePort, client.localAddress, client.localPort);
    this.#socket = this.#connect();
  }

  /** Requests the worker has begun; OPAQUE once the bytes are no requests any more. */
  get started(): number {
    return this.#word(STARTED);
  }

  get opaque(): boolean {
    return this.started === OPAQUE;
  }

  /** Bytes that have come from the worker, modulo 2^32. */
  get received(): number {
    return this.#received;
  }

  /** More bytes should be written only when some have gone: `drained` tells. */
  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Requests whose answer the app has ended. */
  get finished(): number {
    return this.#word(FINISHED);
  }

  /** The app has ended every answer it began: the client's next bytes begin a request. */
  get idle(): boolean {
    // FINISHED is read first: the other way round, a request begun in between would be missed.
    return this.finished === this.started;
  }

  /** Every answer has left the worker whole. */
  get flushed(): boolean {
    return this.#word(FLUSHED) === this.started;
  }

  /** Answers that have left the worker whole. */
  get answers(): number {
    return this.#word(FLUSHED);
  }

  /**
   * Bytes have come of an answer that has not come whole. Of several requests under way at once the answers before it may
   * have come.
   */
  get cutOff(): boolean {
    return !this.flushed && this.#received !== this.#word(WHOLE_BYTES);
  }

  /** How the worker closed its end: one of the constants for CLOSED_ON_PURPOSE. */
  get closedOnPurpose(): number {
    return this.#word(CLOSED_ON_PURPOSE);
  }

  /** The worker knows of this connection. */
  get seen(): boolean {
    return this.#word(SEEN) === 1;
  }

  /** Another worker serves its port. */
  get moved(): boolean {
    return this.#word(MOVED) === 1;
  }

  /** No request may begin on it any more; those that have begun go on. */
  move(): void {
    if (this.#lastWords === undefined) Atomics.store(this.#table, this.#base + MOVED, 1);
  }

  /** The client's connection was reset: the app's socket gets the error that Node gives for it. */
  breakOff(): void {
    if (this.#lastWords === undefined) Atomics.store(this.#table, this.#base + BROKEN, 1);
    this.abandon();
  }

  get #isAbandoned(): boolean {
    return this.#ours === "abandoned";
  }

  /** No more bytes will come. */
  get ended(): boolean {
    return this.#theirs === "ended";
  }

  /** False: wait for `drained` before writing more. */
  write(bytes: Buffer): boolean {
    if (this.#theirs === "connecting") this.#early.push(bytes);
    return this.#socket.write(bytes);
  }

  /** The client will send nothing more. */
  end(): void {
    if (this.#ours === "open") this.#ours = "ended";
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes the connection; none of its events come any more. */
  abandon(): void {
    if (this.#isAbandoned) return;
    this.#ours = "abandoned";
    // The preface must reach the worker, or it could never give the slot back.
    if (this.#socket.connecting) this.#socket.once("connect", () => this.#socket.destroy());
    else this.#socket.destroy();
  }

  #word(word: number): number {
    return this.#lastWords?.[word] ?? Atomics.load(this.#table, this.#base + word);
  }

  #connect(): Socket {
    const socket = connect({
      path: this.server.socketPath,
      allowHalfOpen: true,
      onread: { buffer: READ_BUFFER, callback: (size) => this.#onRead(size) },
    });
    outliveBrokenWrites(socket);
    socket.write(this.#preface);
    socket.once("connect", () => {
      this.#theirs = "open";
      this.#early = [];
    });
    socket.on("drain", () => {
      if (!this.#isAbandoned) this.#events.drained();
    });
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error: NodeJS.ErrnoException) => this.#onError(socket, error));
    socket.on("close", () => this.#onClose(socket));
    return socket;
  }

  #onRead(size: number): boolean {
    this.#received = (this.#received + size) | 0;
    return this.#isAbandoned || this.#events.received(READ_BUFFER.subarray(0, size));
  }

  #onEnd(): void {
    if (this.ended) return;
    this.#theirs = "ended";
    if (!this.#isAbandoned) this.#events.ended();
  }

  #onError(socket: Socket, error: NodeJS.ErrnoException): void {
    if (this.#theirs !== "connecting" || this.#isAbandoned || !RETRIED.has(error.code ?? "")) return;
    this.#events.hasNoRoom(error.code ?? "");
    // The kernel's queue is full, or there is no descriptor left. Try again with the same slot and the same bytes.
    socket.removeAllListeners("close");
    setTimeout(() => {
      if (this.#isAbandoned) this.#leases.giveBackUnused(this.#slot);
      else this.#connectAgain();
    }, QUEUE_FULL_RETRY_MS);
  }

  #connectAgain(): void {
    this.#socket = this.#connect();
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) this.write(bytes);
    if (this.#ours === "ended") this.#socket.end();
  }

  #onClose(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#lastWords = this.#table.slice(this.#base, this.#base + SLOT_WORDS);
    if (this.#theirs !== "connecting") {
      // Ended by the other side unseen: it was dropped from the queue of a server that closed.
      const dropped = !this.seen && (this.ended || !this.#isAbandoned);
      this.#onEnd();
      if (dropped) this.#leases.giveBackUnused(this.#slot);
      else this.#leases.giveBack(this.#slot);
      return;
    }
    this.#leases.giveBackUnused(this.#slot);
    this.#theirs = "ended";
    if (!this.#isAbandoned) this.#events.refused();
  }
}
