/** class-transformer (0.5): type, transform, expose and exclude metadata by class. The package does not export its storage. */
import { createRequire } from "node:module";
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";

const require = createRequire(import.meta.url);
const STORAGE = /[\\/]class-transformer[\\/](?:cjs[\\/])?storage\.js$/;
const MAPS = ["_typeMetadatas", "_transformMetadatas", "_exposeMetadatas", "_excludeMetadatas", "_ancestorsMap"];

export default {
  name: "class-transformer",
  packages: ["class-transformer"],
  attach() {
    return {
      purge({ classes }) {
        for (const [file, module] of Object.entries(require.cache)) {
          if (!STORAGE.test(file)) continue;
          const { defaultMetadataStorage: storage } = module?.exports ?? {};
          for (const name of MAPS) forgetClasses(storage?.[name], classes);
        }
      },
    };
  },
} satisfies Adapter;
