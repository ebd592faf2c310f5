/** routing-controllers (0.10, 0.11): controllers, actions and parameters by class, in one storage for the process. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";
import { createWeakContainer } from "./weak-container.js";

export default {
  name: "routing-controllers",
  packages: ["routing-controllers"],
  attach({ exports }) {
    // An app that has a container of its own sets it later.
    exports.useContainer?.(createWeakContainer());
    return {
      purge({ classes }) {
        const storage: object = exports.getMetadataArgsStorage?.() ?? {};
        for (const list of Object.values(storage)) forgetClasses(list, classes, ["target", "object"]);
      },
    };
  },
} satisfies Adapter;
