/**
 * What pino writes to: the files of sonic-boom (1 to 4), and the worker threads of its transports (thread-stream, 2 to 4).
 * Each is closed with the file that opened it.
 */
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { closedWithFile } from "./patterns.js";

interface SonicBoom extends NodeJS.EventEmitter {
  /** Of the open file; negative before that. */
  readonly fd: number;
  readonly _opening?: boolean;
  /** Path of the file; null when it writes to a descriptor that it was given, and before it is open. */
  readonly file: string | null;
  readonly destroyed: boolean;
  write(text: string): boolean;
  flush(done?: (error?: Error) => void): void;
  flushSync(): void;
  end(): void;
}

interface ThreadStream extends NodeJS.EventEmitter {
  readonly closed: boolean;
  /** Has the stream by a reference that is weak, except while it ends. */
  readonly worker?: { stream?: { deref(): ThreadStream | undefined } };
  write(text: string): boolean;
  end(): void;
}

export default [
  closedWithFile({ package: "sonic-boom", what: "sonic-boom stream", close: closeFile }),
  closedWithFile({ package: "thread-stream", what: "pino transport", close: closeThread }),
];

async function closeFile(stream: SonicBoom): Promise<void> {
  if (stream.destroyed) return;
  if (stream.fd < 0) {
    // It could not be opened, which the app has been told.
    if (stream._opening === false) return;
    await once(stream, "ready");
  }
  const { file } = stream;
  // The descriptor of somebody else, standard output mostly, stays open.
  if (typeof file !== "string") return stream.flushSync();
  // Writes what it has; an unfinished write is waited for.
  const closed = once(stream, "close");
  stream.end();
  await closed;
  // What the old version still does, as for an open stream, must not fail because of its log.
  stream.write = (text) => {
    appendFileSync(file, text);
    return true;
  };
  stream.flush = (done) => done?.();
  stream.flushSync = () => undefined;
}

async function closeThread(stream: ThreadStream): Promise<void> {
  if (!stream.closed) {
    const closed = once(stream, "close");
    stream.end();
    await closed;
  }
  // Its registry of streams has the worker for ever, and that would have the stream.
  if (stream.worker?.stream) stream.worker.stream = new WeakRef(stream);
  // Nobody can write these lines any more; an error would end the app.
  stream.write = () => true;
}
