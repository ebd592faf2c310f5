/**
 * sequelize (6): models by name in an instance that is kept, associations by alias in partner models that are kept, hooks.
 * An instance is closed with the file that made it.
 */
import type { Adapter, AdapterContext, LibraryExports } from "../../../src/protocol/adapter.js";

interface Model {
  readonly name: string;
  readonly sequelize?: Sequelize;
  readonly associations: Record<string, unknown>;
  readonly rawAttributes: Record<string, unknown>;
  readonly prototype: object;
  refreshAttributes?(): void;
}

interface Sequelize {
  readonly modelManager: { readonly models: Model[]; removeModel(model: Model): void };
  close(): Promise<void>;
}

const ASSOCIATING = ["hasOne", "hasMany", "belongsTo", "belongsToMany"];

export default {
  name: "sequelize",
  packages: ["sequelize"],
  attach({ exports }, context) {
    const Sequelize: LibraryExports = exports.Sequelize ?? exports.default ?? exports;
    watchInstances(Sequelize.prototype, context);
    watchModels(Sequelize.Model, context);
    for (const method of ASSOCIATING) watchAssociations(Sequelize.Model, method, context);
    for (const target of [Sequelize.prototype, Sequelize.Model]) watchHooks(target, context);
    return undefined;
  },
} satisfies Adapter;

function watchInstances(prototype: unknown, context: AdapterContext): void {
  // Called by the constructor.
  context.wrap(
    prototype,
    "_setupHooks",
    (original) =>
      function (this: Sequelize, ...args) {
        context.record("sequelize instance", () => this.close());
        return original.apply(this, args);
      },
  );
}

function watchModels(Model: unknown, context: AdapterContext): void {
  context.wrap(
    Model,
    "init",
    (original) =>
      function (this: Model, ...args) {
        const result: unknown = original.apply(this, args);
        context.record(`sequelize model ${this.name}`, () => {
          const { modelManager } = this.sequelize ?? {};
          // Another of this name may have taken its place.
          if (modelManager?.models.includes(this)) modelManager.removeModel(this);
        });
        return result;
      },
  );
}

function watchAssociations(Model: unknown, method: string, context: AdapterContext): void {
  context.wrap(
    Model,
    method,
    (original) =>
      function (this: Model, partner: Model, ...args) {
        if (context.owner === undefined) return original.call(this, partner, ...args);
        const before = [this, partner].map((model) => stateOf(model));
        const association: unknown = original.call(this, partner, ...args);
        context.record(`sequelize association of ${this.name}`, () => {
          for (const [index, model] of [this, partner].entries()) takeBack(model, before[index]);
        });
        return association;
      },
  );
}

interface ModelState {
  readonly associations: ReadonlySet<string>;
  readonly attributes: ReadonlySet<string>;
  readonly members: ReadonlySet<string>;
}

function stateOf({ associations, rawAttributes, prototype }: Model): ModelState {
  return {
    associations: new Set(Object.keys(associations)),
    attributes: new Set(Object.keys(rawAttributes)),
    members: new Set(Object.getOwnPropertyNames(prototype)),
  };
}

/** An alias, a foreign key and accessors (`getAuthor`) that came with the association. */
function takeBack(model: Model, before: ModelState | undefined): void {
  if (!before) return;
  for (const alias of Object.keys(model.associations)) {
    if (!before.associations.has(alias)) delete model.associations[alias];
  }
  for (const member of Object.getOwnPropertyNames(model.prototype)) {
    if (!before.members.has(member)) Reflect.deleteProperty(model.prototype, member);
  }
  const added = Object.keys(model.rawAttributes).filter((name) => !before.attributes.has(name));
  for (const name of added) delete model.rawAttributes[name];
  if (added.length > 0) model.refreshAttributes?.();
}

function watchHooks(target: unknown, context: AdapterContext): void {
  context.wrap(
    target,
    "addHook",
    (original) =>
      function (this: LibraryExports, type: string, name: unknown, hook: unknown) {
        const result: unknown = original.call(this, type, name, hook);
        context.record(`sequelize hook ${type}`, () => this.removeHook(type, name));
        return result;
      },
  );
}
