/** ws (7, 8): open connections of a `WebSocketServer` whose `connection` listener was replaced. */
import type { EventEmitter } from "node:events";
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { ConnectionListeners, endFor, ListenersBefore } from "./moved-listeners.js";

/** RFC 6455, section 7.4.1, and the registry of close codes: the service restarts, and the client may connect again. */
const SERVICE_RESTART = 1012;
const OPEN = 1;

interface Connection extends EventEmitter {
  readonly readyState: number;
  close(code: number): void;
}

interface Server extends EventEmitter {
  readonly clients?: Set<Connection>;
}

interface Opened {
  readonly server: Server;
  /** What the event `connection` has besides the connection: the request, as a rule. */
  readonly rest: readonly unknown[];
  readonly before: ListenersBefore;
}

export default {
  name: "ws",
  packages: ["ws"],
  attach({ exports }, context) {
    // As an ES module it has no such property on its default export.
    const { WebSocketServer = exports.Server ?? exports.default?.WebSocketServer ?? exports.default?.Server } = exports;
    const { prototype } = WebSocketServer ?? {};
    const listeners = new ConnectionListeners<Server>(context, "listener for connections of ws");
    const opened = new WeakMap<Connection, Opened>();
    for (const name of ["on", "addListener", "prependListener"])
      context.wrap(
        prototype,
        name,
        (original) =>
          function (this: Server, event, ...rest) {
            if (event === "connection") listeners.registered(this);
            return original.call(this, event, ...rest);
          },
      );
    context.wrap(
      prototype,
      "emit",
      (original) =>
        function (this: Server, event, connection, ...rest) {
          if (event === "connection" && typeof connection?.rawListeners === "function")
            opened.set(connection, { server: this, rest, before: new ListenersBefore(connection) });
          return original.call(this, event, connection, ...rest);
        },
    );

    const move = (connection: Connection, { server: from, rest, before }: Opened, to: Server): void => {
      const [internal] = from.clients?.has(connection) ? connection.rawListeners("close") : [];
      endFor(connection, before.takeOff(connection, "close"), [SERVICE_RESTART, Buffer.alloc(0)]);
      if (to !== from && internal) {
        // The server's own, which takes the connection out of its list.
        connection.removeListener("close", internal as () => void);
        Reflect.apply(internal, connection, []);
        to.clients?.add(connection);
        connection.on("close", () => to.clients?.delete(connection));
      }
      to.emit("connection", connection, ...rest);
    };

    return {
      applied() {
        for (const { from, to } of listeners.takeReplaced()) {
          if (context.sockets === "keep") continue;
          for (const connection of from.clients ?? []) {
            const known = opened.get(connection);
            // Opened by a callback of `handleUpgrade`, which may be anybody's.
            if (known?.server !== from || connection.readyState !== OPEN) continue;
            if (to && context.sockets === "move") context.outside(() => move(connection, known, to));
            else connection.close(SERVICE_RESTART);
          }
        }
      },
    };
  },
} satisfies Adapter;
