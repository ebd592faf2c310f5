/** knex (0.95 to 3): connection pools. Each is closed with the file that made it. */
import type { Adapter } from "../../../src/protocol/adapter.js";

interface Client {
  destroy(): Promise<void>;
}

export default {
  name: "knex",
  packages: ["knex"],
  attach({ exports }, context) {
    // Called by the constructor of every client that connects.
    context.wrap(
      (exports.knex ?? exports.default ?? exports).Client?.prototype,
      "initializePool",
      (original) =>
        function (this: Client, ...args) {
          context.record("knex pool", () => this.destroy());
          return original.apply(this, args);
        },
    );
    return undefined;
  },
} satisfies Adapter;
