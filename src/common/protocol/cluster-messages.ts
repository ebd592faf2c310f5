/**
 * What is said, beside Node's own messages, between a primary of node:cluster in the app's thread and its workers, which are
 * processes: on the same channel, as messages that the app does not see.
 */
import type { ServerKind } from "./messages.js";
import type { Endpoint } from "./preface.js";

/** On Node's `newconn`, which hands a connection over. */
export interface HandedOver {
  /** Of the connection, until `ConnectionClosed`. */
  readonly id: number;
  readonly remote?: Endpoint | undefined;
  readonly local?: Endpoint | undefined;
  /** What the thread has read of it already, in base64. */
  readonly head: string;
}

export interface ClusterMessage {
  readonly cmd?: unknown;
  readonly act?: unknown;
  /** On Node's `queryServer`: what the server speaks that is to listen. */
  readonly unreloaderKind?: ServerKind;
  unreloader?: HandedOver;
}

/** Node hides messages from the app whose `cmd` begins so. */
export const CONNECTION_CLOSED = "NODE_UNRELOADER_CLOSED";

/** The worker's file runs: what was sent to it before finds its listeners. */
export const WORKER_RUNS = "NODE_UNRELOADER_RUNS";

export interface ConnectionClosed {
  readonly cmd: typeof CONNECTION_CLOSED;
  readonly id: number;
}
