/**
 * The HTTP/2 sessions of the app's servers, so that they end before the thread does. Node aborts the whole process
 * (`onread->IsFunction()`) when a thread ends while Node hands out the frames of one read, and a stream with a body begins
 * behind that: on Node 20 by an exception, on 24 also by `process.exit()` and by force (20.20, 24.21: measured). A session
 * that was destroyed ignores the rest of the read.
 */
import { constants, type Http2Session } from "node:http2";
import type { RelayedConnection } from "./relayed-connection.js";

export class Http2Sessions {
  readonly #open = new Map<RelayedConnection, Http2Session>();
  readonly #changed: (open: number) => void;
  #ended = false;

  /** `changed` is told how many are open. */
  constructor(changed: (open: number) => void) {
    this.#changed = changed;
  }

  /** A session has begun on a connection. */
  add(connection: RelayedConnection, session: Http2Session): void {
    this.#open.set(connection, session);
    this.#changed(this.#open.size);
    if (this.#ended) endSession(connection, session);
  }

  /** The connection has closed. */
  delete(connection: RelayedConnection): void {
    if (this.#open.delete(connection)) this.#changed(this.#open.size);
  }

  /** The thread is about to end: nothing more is read of any session, in the middle of a read too. */
  end(): void {
    this.#ended = true;
    for (const [connection, session] of this.#open) endSession(connection, session);
  }
}

/** What the destroyed streams do is no answer of the app's: the front shall not take them for such. */
function endSession(connection: RelayedConnection, session: Http2Session): void {
  // With another code, or an error, the app's streams would emit errors.
  const code = connection.unused ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL;
  connection.tellNoMore();
  // Undefined would stand for "no error and no code".
  const noError = null as unknown as undefined;
  if (!session.destroyed) session.destroy(noError, code);
}
