/** Who has a copy of each socket that is open to clients, for a process that takes the place of this one. */
import type { Server } from "node:net";
import type { ListenTarget, ServerKind } from "../common/protocol/messages.js";

/** A socket that was left open. */
export interface LeftPort {
  readonly target: ListenTarget;
  readonly kind: ServerKind;
  /** Node's own object for it, to listen on. */
  readonly socket: object;
  /** Lets go of the copy; resolves when that is done, at once where there is none. */
  release(): Promise<void> | undefined;
}

export interface KeptPorts {
  /** Returns what lets go of the copy, as `LeftPort` has it. */
  keep(listener: Server, target: ListenTarget, kind: ServerKind): LeftPort["release"];
  /** Resolves when nothing is kept that was let go of: only then can another open the same port. Undefined: it is so now. */
  readonly released: Promise<void> | undefined;
}
