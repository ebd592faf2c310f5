/**
 * What is used of Node's servers and sockets beyond their published interface, in one place. On 20.19, 22, 24 and 26,
 * test/e2e/listener-differential.test.ts compares what listens by it with Node's own. `listen()` in all its forms ends in
 * `_listen2`, after Node has validated the arguments, looked the host up and wired `signal` and the callback; so only that
 * last step is replaced.
 */
import type { ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";

export interface ServerInternals {
  _handle: object | null;
  _connections: number;
  _connectionKey: string;
  _unref: boolean;
  /** `flags`: 1 is ipv6Only. `port` is -1 and `address` the path for unix sockets. */
  _listen2(
    address: string | null,
    port: number,
    addressType: number,
    backlog: number | undefined,
    fd: number | undefined,
    flags?: number,
  ): void;
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  highWaterMark?: number;
  blockList?: { check(address: string, family: "ipv4" | "ipv6"): boolean };
}

export interface SocketInternals {
  _handle: HandleInternals | null;
  _server: Server | null;
  server: Server | null;
}

/** `getpeername` and `getsockname` are what `remoteAddress`, `localAddress` and `address()` ask, TLS included. */
export interface HandleInternals {
  close?(closed?: () => void): void;
  readStop?(): number;
  getpeername?(out: AddressOut): number;
  getsockname?(out: AddressOut): number;
}

export interface AddressOut {
  address?: string;
  port?: number;
  family?: string;
}

export function serverInternals(server: Server): ServerInternals {
  return server as unknown as ServerInternals;
}

export function socketInternals(socket: Socket): SocketInternals {
  return socket as unknown as SocketInternals;
}

/** The socket below a TLS socket; none for others. */
export function rawSocketOf(socket: Socket): Socket | null | undefined {
  return (socket as unknown as { _parent?: Socket | null })._parent;
}

/** What is used of a response while it is written. */
export interface ResponseInternals {
  /** Status line and headers, from the moment when they are settled. */
  _header: string | null;
  _contentLength: number | null;
  _implicitHeader(): void;
}

export function responseInternals(response: ServerResponse): ResponseInternals {
  return response as unknown as ResponseInternals;
}

/** Status line and headers of a response as they were sent; empty before. */
export function sentHead(response: ServerResponse): string {
  return responseInternals(response)._header ?? "";
}
