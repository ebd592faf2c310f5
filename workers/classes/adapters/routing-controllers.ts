/** routing-controllers (0.10, 0.11): controllers, actions and parameters by class, in one storage for the process. */
import type { Adapter } from "../../../src/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";

export default {
  name: "routing-controllers",
  packages: ["routing-controllers"],
  attach({ exports }) {
    return {
      purge({ classes }) {
        const storage: object = exports.getMetadataArgsStorage?.() ?? {};
        for (const list of Object.values(storage)) forgetClasses(list, classes, ["target", "object"]);
      },
    };
  },
} satisfies Adapter;
