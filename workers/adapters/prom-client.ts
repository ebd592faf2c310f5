/** prom-client (14, 15): metrics by name in each registry. Default metrics are made again by the file that asked for them. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { type Collection, watchRegistrations } from "./registrations.js";

interface Registry {
  readonly _metrics: Record<string, unknown>;
  readonly _collectors: unknown[];
}

export default {
  name: "prom-client",
  packages: ["prom-client"],
  attach({ exports }, context) {
    watchRegistrations<Registry>(
      exports.Registry?.prototype,
      {
        what: "prom-client metric",
        methods: ["registerMetric", "registerCollector"],
        collections: (self): Collection[] => [self._metrics, self._collectors],
      },
      context,
    );
    return undefined;
  },
} satisfies Adapter;
