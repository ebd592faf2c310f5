/** winston's transports (winston 3): each is taken from its logger and closed with the file that made it. */
import type { Adapter } from "../../src/common/protocol/adapter.js";

interface Transport {
  /** The logger it was added to. */
  readonly parent?: { remove(transport: Transport): unknown };
  close?(): void;
}

export default {
  name: "winston-transport",
  packages: ["winston-transport"],
  attach({ exports }, context) {
    const seen = new WeakSet<Transport>();
    // Called by the constructor of every transport.
    context.wrap(
      exports.prototype,
      "once",
      (original) =>
        function (this: Transport, ...args) {
          if (!seen.has(this)) {
            context.record("winston transport", () => {
              if (this.parent) this.parent.remove(this);
              else this.close?.();
            });
          }
          seen.add(this);
          return original.apply(this, args);
        },
    );
    return undefined;
  },
} satisfies Adapter;
