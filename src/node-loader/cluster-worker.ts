/**
 * A worker of node:cluster whose primary runs in the app's thread: its connections come from there, with the client's
 * addresses and with what has been read of them.
 */
import type { Cluster } from "node:cluster";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { familyOf } from "../common/protocol/address-before-open.js";
import {
  type ClusterMessage,
  CONNECTION_CLOSED,
  type HandedOver,
  WORKER_RUNS,
} from "../common/protocol/cluster-messages.js";
import type { Endpoint } from "../common/protocol/preface.js";
import { serverKind } from "../common/server-kind.js";

interface ClusterInternals {
  _getServer(server: Server, options: object, callback: unknown): void;
}

interface Handle {
  getpeername(out: object): number;
  getsockname(out: object): number;
}

/** For as long as the process lives. */
export function serveForPrimary(cluster: Cluster): void {
  const internals = cluster as unknown as ClusterInternals;
  const given = new WeakMap<object, HandedOver>();
  const process_: NodeJS.EventEmitter = process;
  // When the turn that begins to run the worker's file is over.
  process.nextTick(() => tell({ cmd: WORKER_RUNS }));
  process_.prependListener("internalMessage", ({ unreloader }: ClusterMessage, handle?: Handle) => {
    if (!unreloader || !handle) return;
    given.set(handle, unreloader);
    if (unreloader.remote) handle.getpeername = shows(unreloader.remote);
    if (unreloader.local) handle.getsockname = shows(unreloader.local);
  });
  const watched = new WeakSet<Server>();
  const getServer = internals._getServer;
  internals._getServer = (server, options, callback) => {
    if (!watched.has(server)) watch(server, given);
    watched.add(server);
    getServer.call(cluster, server, { ...options, unreloaderKind: serverKind(server) }, callback);
  };
}

function watch(server: Server, given: WeakMap<object, HandedOver>): void {
  server.prependListener("connection", (socket: Socket) => {
    const { _handle: handle } = socket as unknown as { _handle: object | null };
    const told = handle ? given.get(handle) : undefined;
    if (!told) return;
    if (told.head !== "") socket.unshift(Buffer.from(told.head, "base64"));
    socket.once("close", () => {
      tell({ cmd: CONNECTION_CLOSED, id: told.id });
    });
  });
  // Each request goes through the gate, which is where its connection begins.
  server.prependListener("request", (_: IncomingMessage, response: ServerResponse) => {
    if ("shouldKeepAlive" in response) response.shouldKeepAlive = false;
  });
}

/** A primary that is gone, or has just left the worker, needs to hear nothing: without the callback it would be an error of the app's. */
function tell(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function shows({ address, port }: Endpoint): (out: object) => number {
  return (out) => {
    Object.assign(out, { address, port, family: familyOf(address) });
    return 0;
  };
}
