/** Reads the first line of an upstream connection, before the app sees the socket. */
import type { Socket } from "node:net";
import { PREFACE_LIMIT, type Preface, parsePreface } from "../../src/common/protocol/preface.js";

const LINE_FEED = 10;

/**
 * Calls `done` with the parsed line once it is there; the socket then is as a new one, with the bytes after the line
 * still to be read. A socket that ends early or begins with anything else is destroyed.
 */
export function readPreface(socket: Socket, done: (preface: Preface) => void): void {
  let received: Buffer | undefined;

  const onReadable = () => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    received = received === undefined ? bytes : Buffer.concat([received, bytes]);
    const end = received.indexOf(LINE_FEED);
    if (end < 0 && received.length <= PREFACE_LIMIT) return;
    const preface = end < 0 ? undefined : parsePreface(received.toString("latin1", 0, end));
    if (preface === undefined) {
      socket.destroy();
      return;
    }
    socket.off("readable", onReadable).off("end", onEnd).off("error", ignoreError);
    if (received.length > end + 1) socket.unshift(received.subarray(end + 1));
    // Node takes notice of the removed listener in the next tick; after it the socket flows like a new one.
    process.nextTick(done, preface);
  };
  const onEnd = () => socket.destroy();

  socket.on("readable", onReadable).on("end", onEnd).on("error", ignoreError);
}

/** The front broke off before it said anything; `close` follows. */
function ignoreError(): void {}
