/** Who has a copy of each socket that is open to clients, for a process that takes the place of this one. */
import type { Server } from "node:net";
import type { ListenTarget, ServerKind } from "../common/protocol/messages.js";

/** Has the copy of a socket closed; resolves when that is done. Undefined: there is none. */
export type DropCopy = () => Promise<void> | undefined;

/** A socket that another process has left open. */
export interface InheritedPort {
  readonly target: ListenTarget;
  readonly kind: ServerKind;
  /** Node's own object for it, to listen on. */
  readonly socket: object;
  readonly dropCopy: DropCopy;
}

export interface SocketCopies {
  /** Has a copy of its socket made; returns what drops that. */
  keep(listener: Server, target: ListenTarget, kind: ServerKind): DropCopy;
  /** Resolves when all copies that were to be dropped are closed: only then can another open the same port. Undefined: they are. */
  readonly dropping: Promise<void> | undefined;
}
