/** Servers of the app that a purge has closed, and those that others have replaced. */
import type { Server } from "node:net";

/** What an app does to close a server. */
const CLOSING = ["close", "closeIdleConnections", "closeAllConnections"] as const;
/** Where a server has the function that stands for these. */
const STUB = Symbol("stub of close");

/** The app may close its server as well (a dispose hook, a framework): that is done already, and no error. */
export function stubClose(server: Server): void {
  function close(this: Server, closed?: (error?: Error) => void): Server {
    if (typeof closed === "function") process.nextTick(closed);
    return this;
  }
  for (const name of CLOSING) {
    if (!(name in server) || Object.hasOwn(server, name)) continue;
    Object.defineProperty(server, name, { configurable: true, writable: true, value: close });
  }
  Object.defineProperty(server, STUB, { configurable: true, value: close });
}

/** It listens again: what `stubClose` did is taken back. */
export function restoreClose(server: Server): void {
  const stub: unknown = Reflect.get(server, STUB);
  if (stub === undefined) return;
  for (const name of [...CLOSING, STUB])
    if (Object.getOwnPropertyDescriptor(server, name)?.value === stub) Reflect.deleteProperty(server, name);
}

/** `server` listens on behalf of its app. When the app lets it listen itself, `before` runs first. */
export function onOwnListen(server: Server, before: () => void): void {
  const { listen } = server;
  const own = Object.getOwnPropertyDescriptor(server, "listen");
  const value = (...args: unknown[]): unknown => {
    if (own === undefined) Reflect.deleteProperty(server, "listen");
    else Object.defineProperty(server, "listen", own);
    before();
    return Reflect.apply(listen, server, args);
  };
  Object.defineProperty(server, "listen", { configurable: true, writable: true, value });
}

/**
 * A server that was replaced for good: what it listened with would only keep the old module alive. Node still asks it which
 * events have listeners, though, for the connections that came in on it.
 */
export function silence(server: Server, successor: Server): void {
  for (const event of REQUEST_EVENTS) {
    server.removeAllListeners(event);
    if (successor.listenerCount(event) > 0) server.on(event, ignoreEvent);
  }
}

/** Events of a server that mean a request. */
const REQUEST_EVENTS = ["request", "checkContinue", "checkExpectation", "upgrade", "connect", "stream"];

function ignoreEvent(): void {}
