/**
 * mikro-orm (5, 6): an instance is closed with the file that opened it. What decorators say of an entity is kept by its
 * name and file: it is forgotten with the file, or what was taken out of the new version would still be there.
 */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { forgetClasses } from "./registrations.js";

interface Orm {
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
            // One that could not be opened has nothing to close, and whoever waits for it has the error.
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
    const recorded = new WeakSet<object>();
    context.wrap(
      exports.MetadataStorage,
      "getMetadataFromDecorator",
      (original) =>
        function (this: { readonly metadata?: Record<string, unknown> }, ...args) {
          const meta = original.apply(this, args) as object;
          if (context.owner === undefined || recorded.has(meta)) return meta;
          recorded.add(meta);
          context.record("mikro-orm entity", () => {
            const metadata = exports.MetadataStorage.metadata as Record<string, unknown>;
            for (const [key, value] of Object.entries(metadata)) if (value === meta) delete metadata[key];
          });
          return meta;
        },
    );
    return {
      purge({ classes }) {
        forgetClasses(exports.EntitySchema?.REGISTRY, classes);
        forgetClasses(exports.Type?.types, classes);
      },
    };
  },
} satisfies Adapter;
