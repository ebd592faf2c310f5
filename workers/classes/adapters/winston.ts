/** winston (3): loggers that are kept by name. Its transports have an adapter of their own. */
import type { Adapter } from "../../../src/protocol/adapter.js";
import { watchRegistrations } from "./registrations.js";

interface Container {
  readonly loggers: Map<string, unknown>;
}

export default {
  name: "winston",
  packages: ["winston"],
  attach({ exports }, context) {
    watchRegistrations<Container>(
      exports.Container?.prototype,
      { what: "winston logger", methods: ["add", "get"], collections: ({ loggers }) => [loggers] },
      context,
    );
    return undefined;
  },
} satisfies Adapter;
