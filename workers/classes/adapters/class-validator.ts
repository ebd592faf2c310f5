/** class-validator (0.13, 0.14): constraints by class, in one storage for the process. */
import type { Adapter } from "../../../src/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";

export default {
  name: "class-validator",
  packages: ["class-validator"],
  attach({ exports }) {
    return {
      purge({ classes }) {
        const storage = exports.getMetadataStorage?.();
        forgetClasses(storage?.validationMetadatas, classes);
        forgetClasses(storage?.constraintMetadatas, classes);
      },
    };
  },
} satisfies Adapter;
