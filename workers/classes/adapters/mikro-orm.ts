/** mikro-orm (5, 6): an instance is closed with the file that opened it; metadata of purged entities is forgotten. */
import type { Adapter } from "../../../src/protocol/adapter.js";

interface Orm {
  isConnected(): Promise<boolean>;
  close(force?: boolean): Promise<void>;
}

export default {
  name: "mikro-orm",
  packages: ["@mikro-orm/core"],
  attach({ exports }, context) {
    context.wrap(
      exports.MikroORM,
      "init",
      (original) =>
        function (...args) {
          const opening = original.apply(this, args) as Promise<Orm>;
          context.record("mikro-orm instance", async () => {
            const orm = await opening.catch(() => undefined);
            await orm?.close(true);
          });
          return opening;
        },
    );
    context.wrap(
      exports.MikroORM,
      "initSync",
      (original) =>
        function (...args) {
          const orm = original.apply(this, args) as Orm;
          context.record("mikro-orm instance", () => orm.close(true));
          return orm;
        },
    );
    return {
      purge({ classes }) {
        const metadata: Record<string, { class?: unknown }> = exports.MetadataStorage?.metadata ?? {};
        for (const [key, { class: entity }] of Object.entries(metadata)) if (classes.has(entity)) delete metadata[key];
      },
    };
  },
} satisfies Adapter;
