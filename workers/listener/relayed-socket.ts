/**
 * Raw and TLS sockets of connections from the front: how the app closes one is said, in the words of the connection table,
 * before it happens, and the end of a client that has broken off is the error that it would be without the front.
 */
import type { Socket } from "node:net";
import { constants } from "node:os";
import { DESTROYED, ENDED, RESET } from "../../src/common/protocol/connection-table.js";
import { rawSocketOf, socketInternals } from "./node-internals.js";

/** Whom a socket belongs to. */
export interface SocketOwner {
  /** The client has broken off. */
  readonly broken: boolean;
  /** Says how the socket is closed, before it is. */
  markClosing(how: number): void;
}

/** On raw and TLS sockets: whom they belong to. */
const OWNER = Symbol("unreloader.connection");

interface Owned {
  [OWNER]?: SocketOwner;
}

/** The raw socket, and later perhaps a TLS socket on top of it. */
export function takeSocket(socket: Socket, owner: SocketOwner): void {
  (socket as Owned)[OWNER] = owner;
  socket.end = endOnPurpose as Socket["end"];
  socket.destroy = destroyOnPurpose;
  socket.push = pushUnlessBroken;
}

/** Undefined for sockets that are not relayed. */
export function ownerOf(socket: Socket): SocketOwner | undefined {
  const raw = rawSocketOf(socket);
  return (socket as Owned)[OWNER] ?? (raw ? (raw as Owned)[OWNER] : undefined);
}

function endOnPurpose(this: Socket, ...args: Parameters<Socket["end"]>): Socket {
  ownerOf(this)?.markClosing(ENDED);
  return classOf(this).end.apply(this, args);
}

function destroyOnPurpose(this: Socket, error?: Error): Socket {
  const owner = ownerOf(this);
  owner?.markClosing(DESTROYED);
  const isBroken = owner?.broken === true && (error as NodeJS.ErrnoException | undefined)?.code === "EPIPE";
  return classOf(this).destroy.call(this, isBroken ? connectionReset("write") : error) as Socket;
}

/** The end of the bytes of a client that has broken off is the error that it would be without the front. */
function pushUnlessBroken(this: Socket, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk !== null || !ownerOf(this)?.broken) return classOf(this).push.call(this, chunk, encoding);
  this.destroy(connectionReset("read"));
  return false;
}

/** As Node has it; a unix socket tells who writes to it of a broken pipe. */
function connectionReset(syscall: "read" | "write"): Error {
  const errno = -constants.errno.ECONNRESET;
  return Object.assign(new Error(`${syscall} ECONNRESET`), { errno, code: "ECONNRESET", syscall });
}

/** Runs `run` when Node closes the socket. Not by a listener: the app counts those. */
export function afterClose(socket: Socket, run: () => void): void {
  const handle = socketInternals(socket)._handle;
  const close = handle?.close;
  if (!handle || !close) {
    process.nextTick(run);
    return;
  }
  handle.close = (closed) =>
    close.call(handle, () => {
      run();
      closed?.();
    });
}

/** The front resets the client's connection; a unix socket itself cannot be reset. */
export function resetOnPurpose(this: Socket): Socket {
  ownerOf(this)?.markClosing(RESET);
  return this.destroy();
}

function classOf(socket: Socket): Socket {
  return Object.getPrototypeOf(socket) as Socket;
}
