/** pg-pool (2, 3), the pool of pg: each is ended with the file that made it. */
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface Pool {
  readonly ending: boolean;
  end(): Promise<void>;
}

export default {
  name: "pg-pool",
  packages: ["pg-pool"],
  attach({ exports }, context) {
    const Pool = exports.default ?? exports;
    // Clients are the pool's, whichever file asks first.
    context.wrap(
      Pool.prototype,
      "newClient",
      (original) =>
        function (...args) {
          return context.outside(() => original.apply(this, args));
        },
    );
    context.replaceExports(
      context.watchMaking(Pool, "pg pool", async (pool: Pool) => {
        if (!pool.ending) await pool.end();
      }),
    );
    return undefined;
  },
} satisfies Adapter;
