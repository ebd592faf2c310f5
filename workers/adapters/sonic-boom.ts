/** sonic-boom (1 to 4), which writes pino's files: each is closed with the file that opened it. */
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import type { Adapter } from "../../src/common/protocol/adapter.js";

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

export default {
  name: "sonic-boom",
  packages: ["sonic-boom"],
  attach({ exports }, context) {
    context.replaceExports(context.watchMaking(exports, "sonic-boom stream", close));
    return undefined;
  },
} satisfies Adapter;

async function close(stream: SonicBoom): Promise<void> {
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
