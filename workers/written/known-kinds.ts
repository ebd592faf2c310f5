/**
 * Where libraries that apps write to while they are evaluated keep what was written: routers and apps of HTTP frameworks.
 * The generic walk would meet their accessors, or more than matters. (A Fastify instance that listens throws when a route
 * is added to it, which makes the reload climb; it is left alone here.) And what functions of libraries make that adapters or
 * the ledger look after: it is left alone, too, so that the app's connections, tasks and loggers can stay.
 */

import { hasOwn, isArray, isObject, isProxy, ownDescriptor } from "../../src/common/untouched.js";
import { innerScopesOf } from "./inner-scopes.js";
import { ACCESSOR, type Slots } from "./slots.js";

const EXPRESS = ["settings", "mountpath", "engines"] as const;
const EXPRESS_ROUTER = ["stack", "params"] as const;
const KOA = ["middleware", "context", "request", "response"] as const;
const KOA_ROUTER = ["stack", "params", "methods"] as const;
const HONO = ["routes", "router", "getPath", "errorHandler"] as const;
/** What libraries make without showing its class; a knex is a function. */
const KNEX = ["client", "raw", "batchInsert", "fn"] as const;
const LEFT_ALONE = [
  // Fastify.
  ["routing", "addHook", "register", "listen"],
  // bookshelf.
  ["registry", "knex", "Model", "Collection", "transaction"],
  // A container of tsyringe.
  ["_registry", "interceptors", "disposables"],
  // A task of node-cron.
  ["cronExpression", "runner", "stateMachine"],
  // A logger of pino: each level is a property, which setting the level replaces.
  ["levels", "onChild", "silent", "trace", "fatal"],
] as const;

/**
 * The state of a value of a known kind, as names and values in turn; undefined for any other value. Asked of every
 * object that is looked at.
 */
export function stateOf(value: object): Slots | undefined {
  if (isProxy(value) || isArray(value)) return undefined;
  if (typeof value === "function") {
    if (owns(value, EXPRESS)) return stateOfExpress(value);
    if (owns(value, KNEX)) return [];
    return owns(value, EXPRESS_ROUTER) ? pick(value, EXPRESS_ROUTER) : undefined;
  }
  if (owns(value, KOA)) return pick(value, [...KOA, "_events"]);
  if (owns(value, KOA_ROUTER)) return pick(value, EXPRESS_ROUTER);
  if (owns(value, HONO)) return pick(value, ["routes", "errorHandler"]);
  return LEFT_ALONE.some((names) => owns(value, names)) ? [] : undefined;
}

function stateOfExpress(app: object): Slots {
  const state = pick(app, ["_router", "settings", "locals", "engines", "_events"]);
  const router = createdRouter(app);
  return router === undefined ? state : [...state, "router", router];
}

/**
 * The router of an Express 5 app, unless it has none yet: it is made by the first read, from settings that the app may
 * still want to change. (That of Express 4 complains.) The accessor keeps it in a variable, which is looked at instead.
 */
function createdRouter(app: object): object | undefined {
  const get = ownDescriptor(app, "router")?.get;
  if (!get) return undefined;
  const [scopes] = innerScopesOf([get]);
  const variables = scopes?.variables ?? [];
  const index = variables.findIndex(
    (name, at) => at % 2 === 0 && typeof name === "string" && /^\d+\.router$/.test(name),
  );
  const router = index < 0 ? undefined : variables[index + 1];
  return isObject(router) ? router : undefined;
}

function owns(value: object, names: readonly string[]): boolean {
  for (const name of names) if (!hasOwn(value, name)) return false;
  return true;
}

function pick(value: object, names: readonly string[]): unknown[] {
  return names.flatMap((name) => {
    const property = ownDescriptor(value, name);
    return property ? [name, "value" in property ? property.value : ACCESSOR] : [];
  });
}
