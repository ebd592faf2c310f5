/** Who starts another process, should the system end this one. */
import type { InheritedPort, SocketCopies } from "../front/socket-copies.js";
import type { UnexpectedEnd } from "../thread/app-thread.js";

/** What it is told; by that it knows when the next one starts the app. */
export interface Guard extends SocketCopies {
  /** From now on another process is to take the place of this one. `folder`: what is to be removed then. */
  begin(folder: string): void;
  /** The app has started. */
  booted(): void;
  /** A request has come. */
  requested(): void;
  /** Somebody has saved a file, or asked for a fresh worker. */
  backOffReset(): void;
}

/** A process that had the app, and was ended by the system. */
export interface Predecessor {
  readonly end: UnexpectedEnd;
  /** The ports that it has left open. */
  readonly ports: readonly InheritedPort[];
  /** In milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds until the app is started again; undefined: when somebody saves a file. */
  readonly afterMs: number | undefined;
}
