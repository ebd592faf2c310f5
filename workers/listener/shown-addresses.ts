/**
 * Lets a unix socket report the addresses of the client's TCP connection. The handle is asked, not the socket, so that
 * `remoteAddress`, `localPort`, `address()` and the like work as ever, on TLS sockets and HTTP/2 sessions too.
 */
import type { Socket } from "node:net";
import { familyOf } from "../../src/common/protocol/address-before-open.js";
import type { Endpoint, Preface } from "../../src/common/protocol/preface.js";
import { type AddressOut, type HandleInternals, socketInternals } from "./node-internals.js";

const SHOWN = Symbol("unreloader.addresses");

interface ShowingHandle extends HandleInternals {
  [SHOWN]?: Preface;
}

export function showAddresses(socket: Socket, preface: Preface): void {
  const handle: ShowingHandle | null = socketInternals(socket)._handle;
  // A public port that is itself a unix socket has no addresses to show.
  if (handle === null || preface.remote === undefined) return;
  handle[SHOWN] = preface;
  handle.getpeername = getpeername;
  handle.getsockname = getsockname;
}

function getpeername(this: ShowingHandle, out: AddressOut): number {
  return fill(out, this[SHOWN]?.remote);
}

function getsockname(this: ShowingHandle, out: AddressOut): number {
  return fill(out, this[SHOWN]?.local);
}

/** 0, or an error number below 0 as libuv gives it. */
function fill(out: AddressOut, endpoint: Endpoint | undefined): number {
  if (endpoint === undefined) return -1;
  out.address = endpoint.address;
  out.family = familyOf(endpoint.address);
  out.port = endpoint.port;
  return 0;
}
