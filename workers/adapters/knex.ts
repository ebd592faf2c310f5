/** knex (0.95 to 3): connection pools, each closed with the file that made it, and methods that files add to builders. */
import type { Adapter, AdapterContext, Method } from "../../src/common/protocol/adapter.js";
import { afterCalls, loadedFiles } from "./patterns.js";

interface Client {
  destroy(): Promise<void>;
}

/** The classes behind `knex.QueryBuilder` and the like, which show only their `extend`; and the names of query methods. */
const BUILDER = /[\\/]knex[\\/]lib[\\/](?:query|schema)[\\/]\w*builder\.js$/;
const QUERY_METHODS = /[\\/]knex[\\/]lib[\\/]query[\\/](?:method-constants|methods)\.js$/;
const EXTENSIBLE = ["QueryBuilder", "SchemaBuilder", "ViewBuilder", "ColumnBuilder", "TableBuilder"];

export default {
  name: "knex",
  packages: ["knex"],
  attach({ exports }, context) {
    const knex = exports.knex ?? exports.default ?? exports;
    watchPools(knex.Client?.prototype, context);
    for (const name of EXTENSIBLE) watchExtensions(knex[name], context);
    return undefined;
  },
} satisfies Adapter;

function watchPools(prototype: unknown, context: AdapterContext): void {
  // Called by the constructor of every client that connects.
  context.wrap(
    prototype,
    "initializePool",
    (original) =>
      function (this: Client, ...args) {
        context.record("knex pool", () => this.destroy(), this);
        return original.apply(this, args);
      },
  );
  // Connections are the pool's, whichever file asks first.
  context.wrap(
    prototype,
    "getPoolSettings",
    (original) =>
      function (...args) {
        const settings = original.apply(this, args) as { create?: Method };
        const { create } = settings;
        return create
          ? { ...settings, create: (...given: unknown[]) => context.outside(() => create(...given)) }
          : settings;
      },
  );
}

function watchExtensions(extensible: unknown, context: AdapterContext): void {
  afterCalls(extensible, "extend", context, (_, [name, method]) => {
    context.record(`knex method ${name}`, () => forgetExtension(name, method));
  });
}

function forgetExtension(name: string, method: unknown): void {
  for (const { exports } of loadedFiles(BUILDER)) {
    const { prototype } = (exports ?? {}) as { prototype?: object };
    if (prototype && Reflect.get(prototype, name) === method) Reflect.deleteProperty(prototype, name);
  }
  for (const { exports: names } of loadedFiles(QUERY_METHODS)) {
    const at = Array.isArray(names) ? names.indexOf(name) : -1;
    if (at >= 0) names.splice(at, 1);
  }
}
