/**
 * mongoose (6 to 9): models and discriminators are kept by name for each connection, plugins in a list. The default
 * connection is the process's: it stays when the file that opened it is reloaded.
 */
import type { Adapter, AdapterContext, Constructor, LibraryExports } from "../../src/common/protocol/adapter.js";
import { afterCalls } from "./patterns.js";

interface Model extends Constructor {
  readonly schema: { discriminators?: Record<string, unknown> };
  readonly collection?: { readonly name: string };
  discriminators?: Record<string, Model>;
}

interface Connection {
  readonly models: Record<string, Model>;
  readonly collections: Record<string, unknown>;
  readonly readyState: number;
  /** What waits for the connection to open: among it, each model's wish to create its collection. */
  readonly _queue?: unknown[];
  close(force?: boolean): Promise<void>;
}

interface Mongoose {
  readonly connection: Connection;
  readonly models: Record<string, Model>;
  readonly plugins: object[];
  disconnect(): Promise<void>;
}

export default {
  name: "mongoose",
  packages: ["mongoose"],
  attach({ exports }, context) {
    const mongoose = (exports.default ?? exports) as LibraryExports;
    const { Mongoose, Connection, Model } = mongoose;
    /** What the default connection of each instance was opened with last. */
    const openedWith = new WeakMap<Mongoose, string>();
    /** Entry of a list of plugins to the file that added it. */
    const pluginFiles = new WeakMap<object, string>();
    // Own properties of the exports are what `import { model } from "mongoose"` gives.
    for (const target of [mongoose, Mongoose?.prototype]) {
      const connectionOf = (self?: Mongoose) => (self ?? (mongoose as Mongoose)).connection;
      watchModels(target, { connectionOf, pluginFiles }, context);
      watchPlugins(target, { instance: mongoose, pluginFiles }, context);
      watchConnections(target, { instance: mongoose, openedWith }, context);
    }
    watchModels(Connection?.prototype, { connectionOf: (self: Connection) => self, pluginFiles }, context);
    watchDiscriminators(Model, context);
    return undefined;
  },
} satisfies Adapter;

interface ModelMaking {
  connectionOf(self: never): Connection;
  readonly pluginFiles: WeakMap<object, string>;
}

function watchModels(prototype: unknown, { connectionOf, pluginFiles }: ModelMaking, context: AdapterContext): void {
  context.wrap(
    prototype,
    "model",
    (original) =>
      function (...args) {
        const connection = connectionOf(this as never);
        const { base = this } = connection as Connection & { base?: Mongoose };
        const before = { ...connection.models };
        const waiting = new Set(connection._queue);
        const result: unknown = original.apply(this, args);
        for (const [name, model] of Object.entries(connection.models)) {
          if (before[name] === model) continue;
          // A model gets the plugins that there are when it is made.
          for (const plugin of base.plugins ?? []) {
            const file = pluginFiles.get(plugin);
            if (file !== undefined) context.uses(file);
          }
          const queued = (connection._queue ?? []).filter((element) => !waiting.has(element));
          context.record(`mongoose model ${name}`, () => forget(name, model, { connection, base, queued }));
        }
        return result;
      },
  );
}

interface Place {
  readonly connection: Connection;
  readonly base: Mongoose;
  readonly queued: readonly unknown[];
}

function forget(name: string, model: Model, { connection, base, queued }: Place): void {
  for (const models of [connection.models, base.models]) if (models?.[name] === model) delete models[name];
  const collection = model.collection?.name;
  if (collection !== undefined) delete connection.collections[collection];
  const waiting = connection._queue;
  for (const element of queued) {
    const at = waiting?.indexOf(element) ?? -1;
    if (at >= 0) waiting?.splice(at, 1);
  }
}

function watchDiscriminators(Model: unknown, context: AdapterContext): void {
  afterCalls<Model, Model>(Model, "discriminator", context, (base, _, made) => {
    const name = Object.keys(base.discriminators ?? {}).find((key) => base.discriminators?.[key] === made);
    if (name === undefined) return;
    const before = Object.keys(base.schema.discriminators ?? {});
    context.record(`mongoose discriminator ${name}`, () => {
      if (base.discriminators?.[name] === made) delete base.discriminators[name];
      if (before.includes(name)) delete base.schema.discriminators?.[name];
    });
  });
}

function watchPlugins(
  target: unknown,
  { instance, pluginFiles }: { instance: Mongoose; pluginFiles: WeakMap<object, string> },
  context: AdapterContext,
): void {
  context.wrap(
    target,
    "plugin",
    (original) =>
      function (this: Mongoose | undefined, ...args) {
        const { plugins } = this ?? instance;
        const known = new Set(plugins);
        const result: unknown = original.apply(this, args);
        for (const plugin of plugins.filter((added) => !known.has(added))) {
          if (context.owner !== undefined) pluginFiles.set(plugin, context.owner);
          context.record("mongoose plugin", () => {
            const at = plugins.indexOf(plugin);
            if (at >= 0) plugins.splice(at, 1);
          });
        }
        return result;
      },
  );
}

function watchConnections(
  target: unknown,
  { instance, openedWith }: { instance: Mongoose; openedWith: WeakMap<Mongoose, string> },
  context: AdapterContext,
): void {
  context.wrap(
    target,
    "connect",
    (original) =>
      async function (this: Mongoose | undefined, ...args) {
        const self = this ?? instance;
        const asked = JSON.stringify(args);
        const isOther = openedWith.has(self) && openedWith.get(self) !== asked && self.connection.readyState !== 0;
        openedWith.set(self, asked);
        if (context.owner !== undefined && isOther) await context.outside(() => self.disconnect());
        return context.outside(() => original.apply(this, args));
      },
  );
  context.wrap(
    target,
    "createConnection",
    (original) =>
      function (this: unknown, ...args) {
        const connection = context.outside(() => original.apply(this, args)) as Connection;
        context.record("mongoose connection", () => connection.close(), connection);
        return connection;
      },
  );
}
