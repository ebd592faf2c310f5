/**
 * Requests that reached the worker although the gate is closed: pipelined behind another one, or on their way when it
 * closed. They wait here, in order, and are handed to the server that is then behind their port.
 */
import { HELD_DEADLINE_MS } from "../../src/common/deadlines.js";
import { plainPage, type WrittenPage } from "../../src/common/page/written-page.js";
import { HOLD } from "../../src/common/protocol/connection-table.js";
import type { Preface } from "../../src/common/protocol/preface.js";
import type { SpokenPage } from "./spoken-page.js";

/** A connection whose requests may have to wait. */
export interface HoldableConnection {
  /** How many of its requests wait. */
  held: number;
  readonly socket: { destroy(): unknown };
  /** The client's address, as far as it has one. */
  readonly remote: Preface["remote"];
  readonly server: { readonly released: boolean };
  /** Another worker has its port. */
  readonly moved: boolean;
  /** A request waits. */
  hold(): void;
  /** Whether a request may begin; then it counts as begun. */
  claim(): boolean;
}

interface HeldRequest {
  readonly connection: HoldableConnection;
  readonly hand: () => void;
  /** Answers it without the app; absent: nothing can be said on the connection, which is closed. */
  readonly refuse: ((page: WrittenPage) => void) | undefined;
  /** On the clock of `performance.now()`. */
  readonly since: number;
}

export class HeldRequests {
  readonly #table: Int32Array<SharedArrayBuffer>;
  readonly #spoken: SpokenPage;
  readonly #isOwn: (connection: HoldableConnection) => boolean;
  readonly #isEnding: () => boolean;
  /** In order of arrival; an entry leaves when it is handed on, has waited too long, or its connection has closed. */
  #held: HeldRequest[] = [];
  readonly #deadlineMs: number;
  #timer: NodeJS.Timeout | undefined;

  /**
   * `isOwn`: whether this thread is the client. Such a request may be what the gate waits for. `deadlineMs`: how long a
   * request may wait here, as in the front (the option `heldDeadline`). `isEnding`: whether the thread is being ended.
   */
  constructor(
    table: Int32Array<SharedArrayBuffer>,
    spoken: SpokenPage,
    isOwn: (connection: HoldableConnection) => boolean,
    deadlineMs: number = HELD_DEADLINE_MS,
    isEnding: () => boolean = () => false,
  ) {
    this.#deadlineMs = deadlineMs;
    this.#isEnding = isEnding;
    this.#table = table;
    this.#spoken = spoken;
    this.#isOwn = isOwn;
  }

  /**
   * Whether a request on `connection` must wait: the gate is closed, one before it waits, its server is gone or its port
   * another worker's. Or for ever: when code is stopped by the end of its thread, Node's parser still calls for requests on
   * other connections that have come meanwhile (20.20 to 26.10: measured). They are another worker's.
   */
  mustHold(connection: HoldableConnection): boolean {
    if (this.#isEnding()) return true;
    return connection.held > 0 || connection.server.released || connection.moved || this.#isClosedTo(connection);
  }

  hold(connection: HoldableConnection, hand: () => void, refuse?: (page: WrittenPage) => void): void {
    connection.hold();
    this.#held.push({ connection, hand, refuse, since: performance.now() });
    this.#timer ??= this.#startTimer(this.#deadlineMs);
  }

  #startTimer(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#refuseLate(), Math.max(1, ms)).unref();
  }

  #refuseLate(): void {
    this.#timer = undefined;
    const now = performance.now();
    const late = this.#held.filter(({ since }) => now - since >= this.#deadlineMs);
    this.#held = this.#held.filter((request) => !late.includes(request));
    for (const { connection, refuse } of late) {
      // The front may have sent it to another worker in this very moment.
      if (!connection.claim()) continue;
      connection.held--;
      if (refuse) refuse(pageAfter(this.#deadlineMs));
      else connection.socket.destroy();
    }
    const [oldest] = this.#held;
    if (oldest) this.#timer ??= this.#startTimer(oldest.since + this.#deadlineMs - now);
  }

  /** Forgets the requests of a connection that is let go: the front sends them again. */
  drop(connection: HoldableConnection): void {
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
  #isClosedTo(connection: HoldableConnection): boolean {
    return (Atomics.load(this.#table, HOLD) === 1 || this.#spoken.awaited) && !this.#isOwn(connection);
  }
}

/** The front says the same of what it holds itself, and for what; here that is not known. */
function pageAfter(deadlineMs: number): WrittenPage {
  const seconds = Math.round(deadlineMs / 100) / 10;
  const text = `unreloader has held this request for ${seconds} s and gives up: it waits for the app's new code.
Nothing of it has reached the app: send it again.
`;
  return plainPage(503, text);
}
