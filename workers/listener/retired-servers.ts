/** Servers of the app that a purge has closed, and those that others have replaced. */
import type { Server } from "node:net";

/** What an app does to close a server. */
const CLOSING = ["close", "closeIdleConnections", "closeAllConnections"] as const;

/** The app may close its server as well (a dispose hook, a framework): that is done already, and no error. */
export function retire(server: Server): void {
  function close(this: Server, closed?: (error?: Error) => void): Server {
    if (typeof closed === "function") process.nextTick(closed);
    return this;
  }
  for (const name of CLOSING) {
    if (!(name in server) || Object.hasOwn(server, name)) continue;
    Object.defineProperty(server, name, { configurable: true, writable: true, value: close });
  }
  Object.defineProperty(server, RETIRED, { configurable: true, value: true });
}

/** It listens again: what `retire` did is taken back. */
export function reopen(server: Server): void {
  if (!Object.hasOwn(server, RETIRED)) return;
  for (const name of [...CLOSING, RETIRED]) Reflect.deleteProperty(server, name);
}

const RETIRED = Symbol("retired");

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
