/** pg (8): a client that a file connects by itself, without a pool, is ended with the file. */
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface Client {
  end(): Promise<void>;
}

export default {
  name: "pg",
  packages: ["pg"],
  attach({ exports }, context) {
    context.wrap(
      (exports.default ?? exports).Client?.prototype,
      "connect",
      (original) =>
        function (this: Client, ...args) {
          context.record("pg client", () => this.end());
          // Its socket is its own, so that it can say good-bye.
          return context.outside(() => original.apply(this, args));
        },
    );
    return undefined;
  },
} satisfies Adapter;
