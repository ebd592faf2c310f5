/** class-validator (0.13, 0.14): constraints by class, in one storage for the process. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";
import { createWeakContainer } from "./weak-container.js";

export default {
  name: "class-validator",
  packages: ["class-validator"],
  attach({ exports }) {
    // An app that has a container of its own sets it later.
    exports.useContainer?.(createWeakContainer());
    return {
      purge({ classes }) {
        const storage = exports.getMetadataStorage?.();
        forgetClasses(storage?.validationMetadatas, classes);
        forgetClasses(storage?.constraintMetadatas, classes);
      },
    };
  },
} satisfies Adapter;
