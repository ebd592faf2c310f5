/** sonic-boom (1 to 4), which writes pino's files: each is closed with the file that opened it. */
import type { Adapter } from "../../../src/protocol/adapter.js";

interface SonicBoom {
  /** Path of the file; null when it writes to a descriptor that it was given. */
  readonly file: string | null;
  readonly destroyed: boolean;
  flushSync(): void;
  destroy(): void;
}

export default {
  name: "sonic-boom",
  packages: ["sonic-boom"],
  attach({ exports }, context) {
    context.replaceExports(
      context.watchMaking(exports, "sonic-boom stream", (stream: SonicBoom) => {
        if (typeof stream.file !== "string" || stream.destroyed) return;
        try {
          stream.flushSync();
        } finally {
          stream.destroy();
        }
      }),
    );
    return undefined;
  },
} satisfies Adapter;
