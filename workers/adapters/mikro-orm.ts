/**
 * mikro-orm (5, 6): an instance is closed with the file that opened it. What decorators say of an entity is kept by its
 * name and file: it is forgotten with the file, or what was taken out of the new version would still be there.
 */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { afterCalls, closeOpened } from "./patterns.js";
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
    afterCalls<unknown, Orm>(exports.MikroORM, "initSync", context, (_, __, orm) => {
      context.record(instance.what, () => instance.close(orm), orm);
    });
    const recorded = new WeakSet<object>();
    afterCalls<unknown, object>(exports.MetadataStorage, "getMetadataFromDecorator", context, (_, __, meta) => {
      if (context.owner === undefined || recorded.has(meta)) return;
      recorded.add(meta);
      context.record("mikro-orm entity", () => {
        const metadata = exports.MetadataStorage.metadata as Record<string, unknown>;
        for (const [key, value] of Object.entries(metadata)) if (value === meta) delete metadata[key];
      });
    });
    return {
      purge({ classes }) {
        forgetClasses(exports.EntitySchema?.REGISTRY, classes);
        forgetClasses(exports.Type?.types, classes);
      },
    };
  },
} satisfies Adapter;
