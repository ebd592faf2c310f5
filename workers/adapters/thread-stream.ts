/** thread-stream (2 to 4), the worker thread of pino's transports: it is ended with the file that started it. */
import { once } from "node:events";
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface ThreadStream extends NodeJS.EventEmitter {
  readonly closed: boolean;
  /** Has the stream by a reference that is weak, except while it ends. */
  readonly worker?: { stream?: { deref(): ThreadStream | undefined } };
  write(text: string): boolean;
  end(): void;
}

export default {
  name: "thread-stream",
  packages: ["thread-stream"],
  attach({ exports }, context) {
    context.replaceExports(context.watchMaking(exports, "pino transport", close));
    return undefined;
  },
} satisfies Adapter;

async function close(stream: ThreadStream): Promise<void> {
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
