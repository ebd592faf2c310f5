/**
 * typeorm (0.3, 1): what decorators say of entities, in lists of one storage for the process; and data sources, which are
 * closed with the file that opened them.
 */
import type { Adapter } from "../../../src/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";

interface DataSource {
  readonly isInitialized: boolean;
  destroy(): Promise<void>;
}

export default {
  name: "typeorm",
  packages: ["typeorm"],
  attach({ exports }, context) {
    context.wrap(
      exports.DataSource?.prototype,
      "initialize",
      (original) =>
        function (this: DataSource, ...args) {
          context.record("typeorm data source", async () => {
            if (this.isInitialized) await this.destroy();
          });
          return context.outside(() => original.apply(this, args));
        },
    );
    return {
      purge({ classes }) {
        const storage: object = exports.getMetadataArgsStorage?.() ?? {};
        for (const list of Object.values(storage)) forgetClasses(list, classes, ["target", "entity"]);
      },
    };
  },
} satisfies Adapter;
