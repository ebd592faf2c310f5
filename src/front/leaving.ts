/**
 * Lets go of a connection to the app before a request goes elsewhere. Its end is said, and it is read to its own end, because
 * bytes of the answer before may still be on their way.
 */
import type { Socket } from "node:net";
import { LEAVE_MS } from "../common/deadlines.js";
import type { Upstream } from "./upstream.js";

/** Bytes that a worker has sent are there at the latest in the turn after; one more for those that are sent right now. */
const QUIET_TURNS = 2;

export interface LeavingOptions {
  readonly upstream: Upstream;
  readonly client: Socket;
  /** The worker does not answer: it will not end its side either. What it has sent is in the kernel already. */
  readonly abandoned: boolean;
  /** The upstream has not ended its side, and nothing more is expected of it. */
  left(): void;
}

export class Leaving {
  readonly #options: LeavingOptions;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  /** Bytes that had come from the upstream at the last look. */
  #received = 0;

  constructor(options: LeavingOptions) {
    this.#options = options;
    options.upstream.end();
    this.#startTimer();
    if (options.abandoned) this.#leaveWhenQuiet(QUIET_TURNS);
  }

  /** It is gone, or nobody waits for that any more. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }

  #startTimer(): void {
    this.#timer = setTimeout(() => this.#onTimeout(), LEAVE_MS).unref();
  }

  /** The bytes of an answer may take longer, when the client is slow to read them. */
  #onTimeout(): void {
    if (this.#isBusy()) this.#startTimer();
    else this.#options.left();
  }

  #leaveWhenQuiet(turns: number): void {
    this.#turn = setImmediate(() => {
      const isBusy = this.#isBusy();
      // With an answer under way the end of the thread, or the time, is waited for.
      if (!isBusy && turns <= 1) this.#options.left();
      else if (!isBusy || !this.#options.client.writableNeedDrain)
        this.#leaveWhenQuiet(isBusy ? QUIET_TURNS : turns - 1);
    });
  }

  #isBusy(): boolean {
    const { upstream, client } = this.#options;
    const hasSent = upstream.received !== this.#received;
    this.#received = upstream.received;
    return hasSent || !upstream.flushed || client.writableNeedDrain;
  }
}
