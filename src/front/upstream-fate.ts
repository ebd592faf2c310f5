/**
 * What becomes of a client whose upstream has ended. Pure: from what the worker has said about the connection and what was
 * sent on it, to one word; the client's connection acts.
 */
import { DESTROYED, ENDED, LET_GO, RESET, STILL_OPEN } from "../common/protocol/connection-table.js";
import type { ServerKind } from "../common/protocol/messages.js";

export interface EndedUpstream {
  /** How the worker closed its end, as in the connection table. */
  readonly purpose: number;
  readonly kind: ServerKind;
  /** It was told to end, for another server to take its place. */
  readonly leaving: boolean;
  /** Its port is another worker's by now. */
  readonly moved: boolean;
  /** The worker has taken notice of the connection. */
  readonly seen: boolean;
  /** The bytes are no requests. */
  readonly opaque: boolean;
  /** Every answer that was begun has left the worker whole. */
  readonly flushed: boolean;
  /** Bytes came that belong to an answer which is not whole. */
  readonly answeredPartly: boolean;
  /** Bytes were sent that belong to a request which the app has not begun. */
  readonly unstarted: boolean;
  /** The sender of this process has a request on it that has not begun. */
  readonly senderLost: boolean;
}

export type Fate =
  /** The client stays. What the app has not begun goes to the next server, the rest of the connection too. */
  | "detach"
  /** The same, also when the client has sent nothing: the server may be the one that speaks first. */
  | "requeue"
  /** What the app has not begun goes to the next server, but not without end: the worker may have died of it. */
  | "sendAgain"
  /** The app ended its half. */
  | "end"
  /** The app closed it. */
  | "close"
  | "reset"
  /** A page tells that the worker has died. */
  | "deathPage";

export function fateOf(upstream: EndedUpstream): Fate {
  if (upstream.leaving) return "detach";
  switch (upstream.purpose) {
    case STILL_OPEN:
      return fateOfLost(upstream);
    case LET_GO:
      return staying(upstream);
    case RESET:
      return "reset";
    case ENDED:
    case DESTROYED:
      if (upstream.senderLost) return "sendAgain";
      // An old worker that closes what it finds idle means its own connection, not the client's.
      if (upstream.moved && upstream.kind === "http" && !upstream.opaque && upstream.flushed) return "detach";
      return upstream.purpose === ENDED ? "end" : "close";
    default:
      return "close";
  }
}

function staying({ kind }: EndedUpstream): Fate {
  return kind === "http" ? "detach" : "requeue";
}

/** The bytes ended and the app did not end them: its worker is dead or dying. */
function fateOfLost(upstream: EndedUpstream): Fate {
  if (!upstream.seen) return staying(upstream);
  // Nothing can be said inside a session that lived in the worker.
  if (upstream.opaque) return "close";
  if (upstream.kind !== "http") return upstream.flushed ? "close" : "reset";
  if (upstream.answeredPartly) return "reset";
  if (!upstream.flushed) return "deathPage";
  return upstream.unstarted ? "sendAgain" : "detach";
}

/** What becomes of what a worker has begun that is not waited for any more. */
export function fateWithoutWorker({
  kind,
  answeredPartly,
  seen,
}: Pick<EndedUpstream, "kind" | "answeredPartly" | "seen">): "page" | "reset" {
  // In a session that the worker has not taken, somebody else may be able to speak.
  if (!seen && kind !== "raw") return "page";
  return kind !== "http" || answeredPartly ? "reset" : "page";
}

/** How a page of the supervisor's own reaches the client. */
export type PageWay =
  /** As the answer to the request, which is at hand. */
  | "serve"
  /** As bytes: the request is not whole. */
  | "write"
  /** Not at all: nothing can be said on this connection. */
  | "close"
  /** Not at all: half an answer was sent, which must not be taken for a whole one. */
  | "reset";

/** `whole`: the request that the page answers is at hand from its beginning, and the client may send more. */
export function pageWay({
  kind,
  opaque,
  answeredPartly,
  whole,
}: Pick<EndedUpstream, "kind" | "opaque" | "answeredPartly"> & { readonly whole: boolean }): PageWay {
  if (answeredPartly) return "reset";
  if (kind !== "http" || opaque) return "close";
  return whole ? "serve" : "write";
}
