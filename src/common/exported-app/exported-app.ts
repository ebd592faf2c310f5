/**
 * Serves an app that is only exported. What counts as an app is told by its shape, in the order below; a function that
 * takes no argument, and a promise, are asked for the app they give. An entry may export what is no app at all, so looking
 * runs nothing: what has a getter is asked only when it is named with --app, and a proxy is what its target is.
 */
import type { Server as HttpServer, RequestListener } from "node:http";
import { UnreloaderError } from "../errors.js";
import { withoutProxies } from "../proxy-targets.js";
import { findDescriptor, foundValue, inherits, isObject, ownValue, textOf } from "../untouched.js";
import { type FetchHandler, fetchListener } from "./fetch-bridge.js";

// Not by an import: that reads every export of node:http, and one of them loads undici (10 MB from Node 22 on).
const { createServer, Server } = process.getBuiltinModule("node:http");

export type AppKind =
  | "server"
  | "listener"
  | "fetch"
  | "callback"
  | "routing"
  | "handler"
  | "factory"
  | "promise"
  | "none";

/** Tried in this order when no name is asked for. */
const DEFAULT_NAMES = ["default", "app", "handler", "server"];
/** A factory that gives a factory, and so on, is not an app. */
const MAX_STEPS = 5;

/** What `value` is, by its shape alone: nothing is called. */
export function appKind(exported: unknown): AppKind {
  const value = isObject(exported) ? withoutProxies(exported) : undefined;
  if (value === undefined) return "none";
  if (inherits(value, Server.prototype)) return "server";
  // A Fastify instance is a thenable too.
  if (has(value, "routing") && has(value, "ready")) return "routing";
  if (has(value, "then")) return "promise";
  if (has(value, "callback") && has(value, "use")) return "callback";
  if (has(value, "fetch")) return "fetch";
  if (typeof value === "function") {
    if (isClass(value)) return "none";
    const length = foundValue(value, "length");
    if (has(value, "handle") || (typeof length === "number" && length >= 2)) return "listener";
    return length === 0 ? "factory" : "none";
  }
  // Polka; connect-style routers that are objects.
  return has(value, "handler") || has(value, "handle") ? "handler" : "none";
}

/**
 * A server, not listening yet, for the app that a module exports: the export `name`, or else the first of default, app,
 * handler and server that is one. Undefined when no name was asked for and nothing fits. Throws ERR_UNRELOADER_NO_APP
 * when the asked export is not there or is no app, and whatever a factory of the app throws.
 */
export async function serveExported(
  namespace: Readonly<Record<string, unknown>>,
  options: { readonly app?: string | undefined } = {},
): Promise<HttpServer | undefined> {
  const { app } = options;
  if (app !== undefined) {
    if (!(app in namespace)) throw noApp(`the entry has no export ${app}`, namespace);
    const server = await serverFor(namespace[app]);
    if (server === undefined) throw noApp(`the entry's export ${app} is not an app`, namespace);
    return server;
  }
  for (const value of candidates(namespace)) {
    const server = await serverFor(value);
    if (server !== undefined) return server;
  }
  return undefined;
}

function* candidates(namespace: Readonly<Record<string, unknown>>): Iterable<unknown> {
  for (const name of DEFAULT_NAMES) yield ownValue(namespace, name);
  // The default export of CommonJS seen as ESM is `module.exports`, which may hold the names.
  const inner = ownValue(namespace, "default");
  if (typeof inner !== "object" || inner === null || appKind(inner) !== "none") return;
  for (const name of DEFAULT_NAMES) yield foundValue(inner, name);
}

async function serverFor(exported: unknown): Promise<HttpServer | undefined> {
  let value = exported;
  for (let step = 0; step < MAX_STEPS; step++) {
    switch (appKind(value)) {
      case "server":
        return (value as HttpServer).listening ? undefined : (value as HttpServer);
      case "listener":
        return createServer(value as RequestListener);
      case "fetch": {
        const target = value as { fetch: FetchHandler };
        return createServer(fetchListener((request, bindings) => target.fetch(request, bindings)));
      }
      case "callback":
        return createServer((value as { callback(): RequestListener }).callback());
      case "routing": {
        const instance = value as { ready(): PromiseLike<unknown>; routing: RequestListener; server?: unknown };
        await instance.ready();
        // Its own server has what was attached to it: upgrades, timeouts, a server factory.
        const { server } = instance;
        if (server instanceof Server) return server.listening ? undefined : server;
        return createServer(instance.routing);
      }
      case "handler": {
        const target = value as { handler?: RequestListener; handle?: RequestListener };
        return createServer((request, response) => (target.handler ?? target.handle)?.call(target, request, response));
      }
      case "factory":
        value = (value as () => unknown)();
        break;
      case "promise":
        value = await (value as PromiseLike<unknown>);
        break;
      case "none":
        return undefined;
    }
  }
  return undefined;
}

function has(value: object, method: string): boolean {
  return typeof foundValue(value, method) === "function";
}

function isClass(value: object): boolean {
  return /^class\b/.test(textOf(value));
}

function noApp(problem: string, namespace: Readonly<Record<string, unknown>>): UnreloaderError {
  const found = Object.keys(namespace).map((name) => {
    const property = findDescriptor(namespace, name);
    return `${name} (${property?.get ? "getter" : describe(property?.value)})`;
  });
  const exports = found.length === 0 ? "it exports nothing" : `it exports ${found.join(", ")}`;
  return new UnreloaderError(
    "ERR_UNRELOADER_NO_APP",
    `${problem}: ${exports}. An app is a (req, res) function, an object with fetch(Request), an Express, Connect, Polka, ` +
      "Koa, Fastify or Hono app, or an http.Server that does not listen. Name the right export with --app.",
  );
}

function describe(value: unknown): string {
  if (typeof value !== "function") return value === null ? "null" : typeof value;
  return isClass(value) ? "class" : `function of ${String(ownValue(value, "length"))}`;
}
