/**
 * Where libraries that apps write to while they are evaluated keep what was written: routers and apps of HTTP frameworks.
 * The generic walk would meet their accessors, or more than matters. (A Fastify instance that listens throws when a route
 * is added to it, which makes the reload climb; it is left alone here.) And what functions of libraries make that adapters or
 * the ledger look after: it is left alone, too, so that the app's connections, tasks and loggers can stay.
 */
import type { Slots } from "./slots.js";

type Properties = Readonly<Record<string, unknown>>;

/** The state of a value of a known kind, as names and values in turn; undefined for any other value. */
export function stateOf(value: object): Slots | undefined {
  if (isLookedAfter(value)) return [];
  if (typeof value === "function") {
    if (owns(value, "settings", "mountpath", "engines")) return stateOfExpress(value);
    return owns(value, "stack", "params") ? pick(value, ["stack", "params"]) : undefined;
  }
  if (owns(value, "middleware", "context", "request", "response")) {
    return pick(value, ["middleware", "context", "request", "response", "_events"]);
  }
  if (owns(value, "stack", "params", "methods")) return pick(value, ["stack", "params"]);
  if (owns(value, "routes", "router", "getPath", "errorHandler")) return pick(value, ["routes", "errorHandler"]);
  return undefined;
}

/** Whether it is left alone; what its makers do not show by a class. */
function isLookedAfter(value: object): boolean {
  // A knex.
  if (typeof value === "function") return owns(value, "client", "raw", "batchInsert", "fn");
  return (
    owns(value, "routing", "addHook", "register", "listen") ||
    // bookshelf
    owns(value, "registry", "knex", "Model", "Collection", "transaction") ||
    // A container of tsyringe.
    owns(value, "_registry", "interceptors", "disposables") ||
    // A task of node-cron.
    owns(value, "cronExpression", "runner", "stateMachine") ||
    // A logger of pino: each level is a property, which setting the level replaces.
    (owns(value, "levels", "onChild", "silent") && Object.getOwnPropertySymbols(value).length > 0)
  );
}

function stateOfExpress(app: object): Slots {
  const state = pick(app, ["_router", "settings", "locals", "engines", "_events"]);
  const router = createdRouter(app);
  return router === undefined ? state : [...state, "router", router];
}

/**
 * The router of an Express 5 app, unless it has none yet: it is made by the first read, from settings that the app may
 * still want to change. The accessor asks `this` for them before it makes one, so a `this` that throws finds it out.
 */
function createdRouter(app: object): unknown {
  const get = Object.getOwnPropertyDescriptor(app, "router")?.get;
  if (!get) return undefined;
  const notCreated = new Error("the router has not been created");
  const probe = {
    enabled(): never {
      throw notCreated;
    },
  };
  try {
    return Reflect.apply(get, probe, []);
  } catch (error) {
    if (error === notCreated || error instanceof TypeError) return undefined;
    throw error;
  }
}

function owns(value: object, ...names: string[]): boolean {
  return names.every((name) => Object.hasOwn(value, name));
}

function pick(value: object, names: readonly string[]): unknown[] {
  const properties = value as Properties;
  return names.flatMap((name) => (Object.hasOwn(value, name) ? [name, properties[name]] : []));
}
