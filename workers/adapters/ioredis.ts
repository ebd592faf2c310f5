/** ioredis (4, 5): clients reconnect when their socket is closed, so they are told to disconnect. */
import type { Adapter, AdapterContext } from "../../src/common/protocol/adapter.js";

interface Client {
  disconnect(reconnect?: boolean): void;
}

export default {
  name: "ioredis",
  packages: ["ioredis"],
  attach({ exports }, context) {
    const Redis = exports.Redis ?? exports.default ?? exports;
    // Both are called by the constructor, whether it connects at once or later.
    watchClients(Redis.prototype, "parseOptions", context);
    watchClients((exports.Cluster ?? Redis.Cluster)?.prototype, "setStatus", context);
    return undefined;
  },
} satisfies Adapter;

function watchClients(prototype: unknown, method: string, context: AdapterContext): void {
  const seen = new WeakSet<Client>();
  context.wrap(
    prototype,
    method,
    (original) =>
      function (this: Client, ...args) {
        if (!seen.has(this)) context.record("ioredis client", () => this.disconnect(false));
        seen.add(this);
        return original.apply(this, args);
      },
  );
}
