/** Who starts another process, should the system end this one. */
import type { KeptPorts, LeftPort } from "../front/kept-ports.js";
import type { UnexpectedEnd } from "../thread/app-thread.js";

/** What it is told; by that it knows when the next one starts the app. */
export interface Guard extends KeptPorts {
  /** From now on another process is to take the place of this one. `folder`: what is to be removed then. */
  begin(folder: string): void;
  /** The app has started. */
  booted(): void;
  /** A request has come. */
  asked(): void;
  /** Somebody has saved a file, or asked for a fresh worker. */
  forgiven(): void;
}

/** A process that had the app, and was ended by the system. */
export interface PlaceOfProcess {
  readonly end: UnexpectedEnd;
  /** The ports that it has left open. */
  readonly left: readonly LeftPort[];
  /** In milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds until the app is started again; undefined: when somebody saves a file. */
  readonly afterMs: number | undefined;
}
