/**
 * Reads the first line of an upstream connection, before the app sees the socket: from the descriptor, the line and nothing
 * else. What follows is still in the kernel, as it is on a connection that Node has just accepted: Node's parsers and
 * sessions, `bytesRead` and `pauseOnConnect` know nothing of a socket that was read from before.
 */
import fs from "node:fs";
import type { Socket } from "node:net";
import { PREFACE_BYTES, type Preface, parsePreface } from "../../src/common/protocol/preface.js";
import { socketInternals } from "./node-internals.js";

/** Node's own: the app, and we, put others in their places. */
const { readSync } = fs;
const { setImmediate, setTimeout } = globalThis;

/** The front writes the line as soon as it knows that it is connected: within a turn or two of its event loop. */
const QUICK_MS = 2;
const LOOK_MS = 1;
const LINE_FEED = 10;

/**
 * Calls `done` with the parsed line once it is there, in this turn when it is already. `socket` must not be reading; it is not
 * read from on Linux and macOS. One that ends early or begins with anything else is destroyed.
 */
export function readPreface(socket: Socket, done: (preface: Preface) => void): void {
  const fd = (socketInternals(socket)._handle as { fd?: number } | null)?.fd;
  if (fd === undefined || fd < 0) new StreamedLine(socket, done).read();
  else new LineOfDescriptor(socket, done).look();
}

/** The socket reads from now on, like one that Node has just made. */
export function startReading(socket: Socket): void {
  (socket as { readableFlowing: boolean | null }).readableFlowing = null;
  socket.read(0);
}

class LineOfDescriptor {
  readonly #socket: Socket;
  readonly #done: (preface: Preface) => void;
  readonly #line = Buffer.allocUnsafe(PREFACE_BYTES);
  #length = 0;
  readonly #since = performance.now();

  constructor(socket: Socket, done: (preface: Preface) => void) {
    this.#socket = socket;
    this.#done = done;
  }

  look(): void {
    const fd = (socketInternals(this.#socket)._handle as { fd?: number } | null)?.fd;
    if (this.#socket.destroyed || fd === undefined || fd < 0) return;
    const read = readReady(fd, this.#line, this.#length);
    if (read === undefined) {
      if (performance.now() - this.#since < QUICK_MS) setImmediate(() => this.look());
      else setTimeout(() => this.look(), LOOK_MS).unref();
      return;
    }
    this.#length += read;
    const line = this.#line.subarray(0, this.#length);
    if (read > 0 && line.length < PREFACE_BYTES && !line.includes(LINE_FEED)) this.look();
    else take(this.#socket, line, this.#done);
  }
}

/** Undefined: nothing is there yet. 0: nothing will come. */
function readReady(fd: number, line: Buffer, from: number): number | undefined {
  try {
    return readSync(fd, line, from, line.length - from, null);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? undefined : 0;
  }
}

function take(socket: Socket, line: Buffer, done: (preface: Preface) => void): void {
  const isWhole = line.length === PREFACE_BYTES && line.at(-1) === LINE_FEED;
  const preface = isWhole ? parsePreface(line.toString("latin1")) : undefined;
  if (preface === undefined) socket.destroy();
  else done(preface);
}

/** Named pipes of Windows have no descriptor: what was read behind the line is put back. */
class StreamedLine {
  readonly #socket: Socket;
  readonly #done: (preface: Preface) => void;

  constructor(socket: Socket, done: (preface: Preface) => void) {
    this.#socket = socket;
    this.#done = done;
  }

  read(): void {
    startReading(this.#socket);
    this.#socket.on("readable", this.#onReadable).on("end", this.#onEnd).on("error", ignoreError);
  }

  readonly #onReadable = (): void => {
    const socket = this.#socket;
    const bytes = socket.read(PREFACE_BYTES) as Buffer | null;
    if (bytes === null) return;
    socket.off("readable", this.#onReadable).off("end", this.#onEnd).off("error", ignoreError);
    // Node takes notice of the removed listener in the next tick; after it the socket flows like a new one.
    process.nextTick(() => take(socket, bytes, this.#done));
  };

  readonly #onEnd = (): void => {
    this.#socket.destroy();
  };
}

/** The front broke off before it said anything; `close` follows. */
function ignoreError(): void {}
