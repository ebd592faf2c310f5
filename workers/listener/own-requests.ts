/**
 * Tells which connections to the app's servers this thread has opened itself. A module that asks the app while it is being
 * evaluated would wait for itself if its request was held until the evaluation has ended; so would a handler that asks, when
 * a reload waits for that handler.
 *
 * A connection gets its local port within the system call that begins it, so it is written down before a byte is sent. All
 * of Node's clients (http, fetch, net, tls and what is built on them) come through that one method of the handle.
 */
import { Socket } from "node:net";
import type { OwnConnections } from "../../src/common/protocol/own-connections.js";
import { type AddressOut, socketInternals } from "./node-internals.js";

/** A TCP handle as Node's sockets have them. */
interface Handle {
  connect(request: object, address: string, port: number): number;
  connect6(request: object, address: string, port: number): number;
  getsockname(out: AddressOut): number;
  close(closed?: () => void): void;
  reset(closed?: () => void): number;
}

export interface OwnRequestsOptions {
  readonly connections: OwnConnections;
  /** Whether a server of the app has this port. */
  isOwnPort(port: number): boolean;
}

export class OwnRequests {
  readonly #options: OwnRequestsOptions;

  constructor(options: OwnRequestsOptions) {
    this.#options = options;
  }

  install(): void {
    const options = this.#options;
    const prototype = tcpPrototype();
    const watched = (method: Handle["connect"]): Handle["connect"] => {
      const self = this;
      return function (this: Handle, request, address, port) {
        if (!options.isOwnPort(port)) return method.call(this, request, address, port);
        return options.connections.open(() => {
          const failure = method.call(this, request, address, port);
          if (failure === 0) self.#begun(this, address);
          return failure;
        });
      };
    };
    prototype.connect = watched(prototype.connect);
    prototype.connect6 = watched(prototype.connect6);
  }

  #begun(handle: Handle, server: string): void {
    const local: AddressOut = {};
    if (handle.getsockname(local) !== 0) return;
    const { address, port } = local;
    if (address === undefined || port === undefined || !isSameMachine(address, server)) return;
    const { connections } = this.#options;
    connections.add(address, port);
    // From then on the port may be another client's.
    const { close, reset } = handle;
    handle.close = (closed) => {
      connections.delete(port);
      close.call(handle, closed);
    };
    handle.reset = (closed) => {
      connections.delete(port);
      return reset.call(handle, closed);
    };
  }
}

/** Who connects to an address of the own machine does so from that address, or from loopback to loopback. */
function isSameMachine(client: string, server: string): boolean {
  return client === server || (isLoopback(client) && isLoopback(server));
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
}

/** Found at a socket that connects: nothing is sent, since its host is never looked up. */
function tcpPrototype(): Handle {
  const socket = new Socket();
  socket.on("error", () => undefined);
  socket.connect({ host: "localhost", port: 1, lookup: () => undefined });
  const handle = socketInternals(socket)._handle;
  socket.destroy();
  return Object.getPrototypeOf(handle) as Handle;
}
