/**
 * mikro-orm (5, 6): an instance is closed with the file that opened it. What decorators say of an entity is kept by its
 * name and file: it is forgotten with the file, or what was taken out of the new version would still be there.
 */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { closeOpened } from "./patterns.js";
import { forgetClasses } from "./registrations.js";

interface Orm {
  close(force?: boolean): Promise<void>;
}

export default {
  name: "mikro-orm",
  packages: ["@mikro-orm/core"],
  attach({ exports }, context) {
    const instance = { what: "mikro-orm instance", close: (orm: Orm) => orm.close(true) };
    closeOpened(exports.MikroORM, "init", instance, context);
    context.wrap(
      exports.MikroORM,
      "initSync",
      (original) =>
        function (...args) {
          const orm = original.apply(this, args) as Orm;
          context.record(instance.what, () => instance.close(orm));
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
