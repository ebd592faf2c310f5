/**
 * sequelize (6): models by name in an instance that is kept; in models that are kept, what associations, hooks and scopes
 * of other files have added. An instance is closed with the file that made it.
 */
import type { Adapter, AdapterContext, LibraryExports } from "../../src/common/protocol/adapter.js";
import { afterCalls, callOutside } from "./patterns.js";

interface Model {
  readonly name: string;
  readonly sequelize?: Sequelize;
  readonly associations: Record<string, { paired?: unknown }>;
  readonly rawAttributes: Record<string, object>;
  readonly prototype: object;
  readonly options: { readonly scopes: Record<string, unknown> };
  refreshAttributes(): void;
}

interface Sequelize {
  readonly modelManager: { readonly models: Model[]; removeModel(model: Model): void };
  readonly models: Readonly<Record<string, Model>>;
  readonly connectionManager: object;
  close(): Promise<void>;
}

const ASSOCIATING = ["hasOne", "hasMany", "belongsTo", "belongsToMany"];

export default {
  name: "sequelize",
  packages: ["sequelize"],
  attach({ exports }, context) {
    const Sequelize: LibraryExports = exports.Sequelize ?? exports.default ?? exports;
    watchInstances(Sequelize, context);
    watchModels(Sequelize.Model, context);
    for (const method of ASSOCIATING) watchAssociations(Sequelize.Model, method, context);
    for (const target of [Sequelize, Sequelize.prototype, Sequelize.Model]) watchHooks(target, context);
    watchScopes(Sequelize.Model, context);
    return undefined;
  },
} satisfies Adapter;

function watchInstances(Sequelize: unknown, context: AdapterContext): void {
  // The constructor's last call.
  context.wrap(
    Sequelize,
    "runHooks",
    (original) =>
      function (type: unknown, ...args) {
        if (type === "afterInit") watchInstance(args[0] as Sequelize, context);
        return original.call(this, type, ...args);
      },
  );
}

function watchInstance(instance: Sequelize, context: AdapterContext): void {
  context.record("sequelize instance", () => instance.close(), instance);
  // Connections are the pool's, whichever file asks first.
  callOutside(instance.connectionManager, "_connect", context);
}

function watchModels(Model: unknown, context: AdapterContext): void {
  afterCalls<Model>(Model, "init", context, (model) => {
    context.record(`sequelize model ${model.name}`, () => {
      const { modelManager } = model.sequelize ?? {};
      // Another of this name may have taken its place.
      if (modelManager?.models.includes(model)) modelManager.removeModel(model);
    });
  });
}

function watchAssociations(Model: unknown, method: string, context: AdapterContext): void {
  context.wrap(
    Model,
    method,
    (original) =>
      function (this: Model, partner: Model, options: unknown, ...args) {
        const associate = () =>
          options === undefined ? original.call(this, partner) : original.call(this, partner, options, ...args);
        if (context.owner === undefined) return associate();
        const models = new Set([this, partner, throughOf(this, options)].filter(isModel));
        const before = [...models].map((model) => ({ model, parts: keysByPart(model) }));
        const association: unknown = associate();
        const added = before.map(({ model, parts }) => ({ model, parts: addedKeys(model, parts) }));
        context.record(`sequelize association of ${this.name}`, () => {
          for (const { model, parts } of added) takeBack(model, parts);
        });
        return association;
      },
  );
}

function isModel(value: unknown): value is Model {
  return typeof value === "function" && "rawAttributes" in value;
}

/** The model of the table between two others: `through: X`, `through: "X"` or `through: { model: X }`. */
function throughOf({ sequelize }: Model, options: unknown): unknown {
  const { through } = (options ?? {}) as { through?: unknown };
  const named = typeof through === "object" && through !== null && "model" in through ? through.model : through;
  return typeof named === "string" ? sequelize?.models[named] : named;
}

/** Where an association adds something. Looked up each time, as sequelize replaces some of these objects. */
type Part = (model: Model) => object | undefined;

/** Aliases, accessors (`getAuthor`), foreign keys, what foreign keys refer to, the other half of a many-to-many. */
function partsOf({ associations, rawAttributes }: Model): Part[] {
  return [
    (model) => model.associations,
    (model) => model.prototype,
    (model) => model.rawAttributes,
    ...Object.keys(rawAttributes).map(
      (name): Part =>
        (model) =>
          model.rawAttributes[name],
    ),
    ...Object.keys(associations).map(
      (alias): Part =>
        (model) =>
          model.associations[alias],
    ),
  ];
}

function keysByPart(model: Model): Map<Part, readonly string[]> {
  return new Map(partsOf(model).map((part) => [part, Object.getOwnPropertyNames(part(model) ?? {})]));
}

function addedKeys(model: Model, before: ReadonlyMap<Part, readonly string[]>): Map<Part, readonly string[]> {
  return new Map(
    [...before].map(([part, known]) => {
      const keys = new Set(known);
      return [part, Object.getOwnPropertyNames(part(model) ?? {}).filter((key) => !keys.has(key))];
    }),
  );
}

function takeBack(model: Model, added: ReadonlyMap<Part, readonly string[]>): void {
  for (const [part, keys] of added) for (const key of keys) Reflect.deleteProperty(part(model) ?? {}, key);
  model.refreshAttributes();
}

function watchHooks(target: unknown, context: AdapterContext): void {
  afterCalls<LibraryExports>(target, "addHook", context, (self, [type, name]) => {
    context.record(`sequelize hook ${type}`, () => self.removeHook(type, name));
  });
}

function watchScopes(Model: unknown, context: AdapterContext): void {
  afterCalls<Model>(Model, "addScope", context, (model, [name]) => {
    context.record(`sequelize scope ${name}`, () => {
      delete model.options.scopes[name];
    });
  });
}
