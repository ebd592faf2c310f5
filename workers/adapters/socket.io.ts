/** socket.io (3, 4): open sockets of a namespace whose `connection` listener was replaced. They keep ids, rooms and data. */
import type { EventEmitter } from "node:events";
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { ConnectionListeners, endFor, ListenersBefore } from "./moved-listeners.js";

interface Engine {
  readonly clients: Record<string, EngineSocket>;
  clientsCount: number;
}

interface EngineSocket extends EventEmitter {
  readonly id: string;
  server: Engine;
  close(): void;
}

interface Client {
  readonly conn: EngineSocket;
  readonly onclose: unknown;
  server: Io;
}

interface Io {
  readonly engine?: Engine;
}

interface RoomAdapter {
  socketRooms(id: string): Set<string> | undefined;
  addAll(id: string, rooms: Set<string>): unknown;
  delAll(id: string): unknown;
}

interface Namespace extends EventEmitter {
  readonly sockets: Map<string, IoSocket>;
  readonly adapter: RoomAdapter;
  readonly server: Io;
  emitReserved(event: string, socket: IoSocket): void;
}

interface IoSocket extends EventEmitter {
  readonly id: string;
  readonly client: Client;
  readonly connected: boolean;
  nsp: Namespace;
  server: Io;
  adapter: RoomAdapter;
  /** What `use()`, `onAny()` and `onAnyOutgoing()` have added. */
  fns?: unknown[];
  _anyListeners?: unknown[] | undefined;
  _anyOutgoingListeners?: unknown[] | undefined;
}

/** What the app's `disconnect` listeners are told: what the client is told when a server closes. */
const REASON = "server shutting down";

export default {
  name: "socket.io",
  packages: ["socket.io"],
  attach({ exports }, context) {
    const { prototype } = (exports.default ?? exports).Namespace ?? exports.Namespace ?? {};
    // The engine closes those that it has when its http server is closed, which is next.
    const released = ({ sockets }: Namespace): void => {
      if (context.sockets === "keep") return;
      for (const { client } of sockets.values()) leaveEngine(client.conn);
    };
    const listeners = new ConnectionListeners<Namespace>(context, "listener for connections of socket.io", released);
    const opened = new WeakMap<IoSocket, ListenersBefore>();
    for (const name of ["on", "addListener", "prependListener"])
      context.wrap(
        prototype,
        name,
        (original) =>
          function (this: Namespace, event, ...rest) {
            if (event === "connection" || event === "connect") listeners.registered(this);
            return original.call(this, event, ...rest);
          },
      );
    context.wrap(
      prototype,
      "emitReserved",
      (original) =>
        function (this: Namespace, event, socket, ...rest) {
          // `connect` comes first.
          if (event === "connect" && typeof socket?.rawListeners === "function")
            opened.set(socket, new ListenersBefore(socket));
          return original.call(this, event, socket, ...rest);
        },
    );

    const takeOff = (socket: IoSocket, before: ListenersBefore): void => {
      endFor(socket, before.takeOff(socket, "disconnect"), [REASON]);
      if (socket.fns) socket.fns = [];
      socket._anyListeners = undefined;
      socket._anyOutgoingListeners = undefined;
    };

    const move = (socket: IoSocket, before: ListenersBefore, from: Namespace, to: Namespace): void => {
      takeOff(socket, before);
      if (to !== from) {
        if (to.server !== from.server) moveClient(socket.client, to.server);
        const rooms = new Set(from.adapter.socketRooms(socket.id));
        from.adapter.delAll(socket.id);
        from.sockets.delete(socket.id);
        Object.assign(socket, { nsp: to, server: to.server, adapter: to.adapter });
        to.sockets.set(socket.id, socket);
        to.adapter.addAll(socket.id, rooms);
      }
      to.emitReserved("connect", socket);
      to.emitReserved("connection", socket);
    };

    return {
      applied() {
        for (const { from, to } of listeners.takeReplaced()) {
          if (context.sockets === "keep") continue;
          for (const socket of [...from.sockets.values()]) {
            const before = opened.get(socket);
            if (!before || !socket.connected) continue;
            const canMove = to && (to.server === from.server || (to.server.engine && from.server.engine));
            if (canMove && context.sockets === "move") context.outside(() => move(socket, before, from, to));
            // Its client connects again by itself.
            else socket.client.conn.close();
          }
        }
      },
    };
  },
} satisfies Adapter;

/** The connection below, with all that comes on it: of several namespaces' sockets the first brings it along. */
function moveClient(client: Client, to: Io): void {
  const { conn } = client;
  const [before, after] = [conn.server, to.engine];
  if (!after || before === after) return;
  // The engine's own, which takes the connection out of its list; the client's comes later.
  const [internal] = conn.rawListeners("close").filter((listener) => listener !== client.onclose);
  if (internal) conn.removeListener("close", internal as () => void);
  leaveEngine(conn);
  after.clients[conn.id] = conn;
  after.clientsCount++;
  conn.once("close", () => {
    delete after.clients[conn.id];
    after.clientsCount--;
  });
  conn.server = after;
  client.server = to;
}

function leaveEngine({ id, server }: EngineSocket): void {
  if (!(id in server.clients)) return;
  delete server.clients[id];
  server.clientsCount--;
}
