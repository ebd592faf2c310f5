/** pg (8): a client that a file connects by itself is ended with the file; so is a pool (pg-pool, 2 and 3) that it made. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { callOutside, closedWithFile } from "./patterns.js";

interface Client {
  end(): Promise<void>;
}

interface Pool {
  readonly ending: boolean;
  end(): Promise<void>;
}

const pg: Adapter = {
  name: "pg",
  packages: ["pg"],
  attach({ exports }, context) {
    context.wrap(
      (exports.default ?? exports).Client?.prototype,
      "connect",
      (original) =>
        function (this: Client, ...args) {
          context.record("pg client", () => this.end(), this);
          // Its socket is its own, so that it can say good-bye.
          return context.outside(() => original.apply(this, args));
        },
    );
    return undefined;
  },
};

const pools = closedWithFile({
  package: "pg-pool",
  make: (exports) => exports.default ?? exports,
  what: "pg pool",
  close: async (pool: Pool) => {
    if (!pool.ending) await pool.end();
  },
});

const pgPool: Adapter = {
  ...pools,
  attach(library, context) {
    // Clients are the pool's, whichever file asks first.
    callOutside((library.exports.default ?? library.exports).prototype, "newClient", context);
    return pools.attach(library, context);
  },
};

export default [pg, pgPool];
