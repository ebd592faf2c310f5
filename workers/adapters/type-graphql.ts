/** type-graphql (1, 2): types, fields and resolvers by class, in one storage for the process, and what was built of them. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";

export default {
  name: "type-graphql",
  packages: ["type-graphql"],
  attach({ exports }) {
    return {
      purge({ classes }) {
        const storage = exports.getMetadataStorage?.() ?? Reflect.get(globalThis, "TypeGraphQLMetadataStorage");
        for (const list of Object.values(storage ?? {})) forgetClasses(list, classes, ["target", "objectType"]);
      },
    };
  },
} satisfies Adapter;
