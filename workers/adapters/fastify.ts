/** fastify (4, 5): `onClose` hooks of an instance run only when it is closed, with the file that made it. */
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface Fastify {
  close(): Promise<void>;
}

export default {
  name: "fastify",
  packages: ["fastify"],
  attach({ exports }, context) {
    // Its http server has been released by then, and keeps its connections.
    const close = (app: Fastify): Promise<void> => app.close();
    context.replaceExports(context.watchMaking(exports, "fastify instance", close));
    return undefined;
  },
} satisfies Adapter;
