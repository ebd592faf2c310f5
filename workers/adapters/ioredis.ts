/** ioredis (4, 5): clients reconnect when their socket is closed, so they are told to disconnect. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { closeConstructed } from "./patterns.js";

const client = {
  what: "ioredis client",
  close: (made: { disconnect(reconnect?: boolean): void }) => made.disconnect(false),
};

export default {
  name: "ioredis",
  packages: ["ioredis"],
  attach({ exports }, context) {
    const Redis = exports.Redis ?? exports.default ?? exports;
    // Both are called by the constructor, whether it connects at once or later.
    closeConstructed(Redis.prototype, "parseOptions", client, context);
    closeConstructed((exports.Cluster ?? Redis.Cluster)?.prototype, "setStatus", client, context);
    return undefined;
  },
} satisfies Adapter;
