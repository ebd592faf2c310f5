/**
 * Requests that reached the worker although the gate is closed: pipelined behind another one, or on their way when it
 * closed. They wait here, in order, and are handed to the server that is then behind their port.
 */
import { HOLD } from "../../src/protocol/connection-table.js";
import type { RelayedConnection } from "./relayed-connection.js";
import type { SpokenPage } from "./spoken-page.js";

interface HeldRequest {
  readonly connection: RelayedConnection;
  readonly hand: () => void;
}

export class HeldRequests {
  readonly #table: Int32Array<SharedArrayBuffer>;
  readonly #spoken: SpokenPage;
  readonly #isOwn: (connection: RelayedConnection) => boolean;
  /** In order of arrival; an entry leaves when it is handed on or its connection has closed. */
  #held: HeldRequest[] = [];

  /** `isOwn`: whether this thread is the client. Such a request may be what the gate waits for. */
  constructor(
    table: Int32Array<SharedArrayBuffer>,
    spoken: SpokenPage,
    isOwn: (connection: RelayedConnection) => boolean,
  ) {
    this.#table = table;
    this.#spoken = spoken;
    this.#isOwn = isOwn;
  }

  get size(): number {
    return this.#held.length;
  }

  /**
   * Whether a request on `connection` must wait: the gate is closed, one before it waits, its server is gone or its port
   * another worker's.
   */
  mustHold(connection: RelayedConnection): boolean {
    return connection.held > 0 || connection.server.released || connection.moved || this.#isClosedTo(connection);
  }

  hold(connection: RelayedConnection, hand: () => void): void {
    connection.hold();
    this.#held.push({ connection, hand });
  }

  /** Forgets the requests of a connection that is let go: the front sends them again. */
  drop(connection: RelayedConnection): void {
    this.#held = this.#held.filter((request) => request.connection !== connection);
  }

  /** Hands on what need not wait any more. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const request of held) {
      // A handler may close the gate again, by saving a file say.
      const { connection } = request;
      if (this.#isClosedTo(connection) || connection.server.released || !connection.claim()) {
        this.#held.push(request);
        continue;
      }
      connection.held--;
      request.hand();
    }
  }

  /** Whether the gate is closed, or it is not known yet what is to be said. */
  #isClosedTo(connection: RelayedConnection): boolean {
    return (Atomics.load(this.#table, HOLD) === 1 || this.#spoken.awaited) && !this.#isOwn(connection);
  }
}
