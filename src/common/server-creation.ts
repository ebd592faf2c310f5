/**
 * Tells when a server is created, before it listens: a module that only creates a server must have it closed when the
 * module is purged. Servers are created through constructors that libraries hold on to, so not these are replaced: each
 * constructor of Node's assigns `_usingWorkers`, and the first assignment to it is noticed.
 */
import { Server } from "node:net";

const FIRST_FIELD = "_usingWorkers";

/** Calls `onCreate` inside the constructor of each server, until the returned function is called. */
export function watchServerCreation(onCreate: (server: Server) => void): () => void {
  Object.defineProperty(Server.prototype, FIRST_FIELD, {
    configurable: true,
    get: () => undefined,
    set(this: Server, value: unknown) {
      Object.defineProperty(this, FIRST_FIELD, { value, writable: true, enumerable: true, configurable: true });
      onCreate(this);
    },
  });
  return () => {
    Reflect.deleteProperty(Server.prototype, FIRST_FIELD);
  };
}
