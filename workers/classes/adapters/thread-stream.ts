/** thread-stream (2 to 4), the worker thread of pino's transports: it is ended with the file that started it. */
import { once } from "node:events";
import type { Adapter } from "../../../src/protocol/adapter.js";

interface ThreadStream extends NodeJS.EventEmitter {
  readonly closed: boolean;
  end(): void;
}

export default {
  name: "thread-stream",
  packages: ["thread-stream"],
  attach({ exports }, context) {
    context.replaceExports(
      context.watchMaking(exports, "pino transport", async (stream: ThreadStream) => {
        if (stream.closed) return;
        const closed = once(stream, "close");
        stream.end();
        await closed;
      }),
    );
    return undefined;
  },
} satisfies Adapter;
