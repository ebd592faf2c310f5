/**
 * The memory that both threads share: four header words, then four words for each upstream connection (one unix-socket
 * connection from the front to a server of the app). The worker writes the counters, the main thread reads them to know
 * where requests begin: a connection whose counters are equal is idle, and its next bytes are a new request.
 *
 * A slot is leased for one upstream connection. It may be leased again only after both ends have let go: the main thread
 * when its socket has closed, the worker by writing `released`; or when the worker has died.
 */
export const HEADER_WORDS = 4;
export const SLOT_WORDS = 4;

/** Header word: 1 while requests must be held (something is stale, reloading or booting). Written by main. */
export const HOLD = 0;
/** Header word: rises while the worker's event loop turns. Written by the worker. */
export const HEARTBEAT = 1;

/** Slot words, relative to the slot's first word. */
export const STARTED = 0;
export const FINISHED = 1;
/** 1 once the worker ends or destroys the socket on purpose: the end of the bytes is the app's doing, not a crash. */
export const CLOSED_ON_PURPOSE = 2;
/** 1 once the worker will never write to this slot again. */
export const RELEASED = 3;

/** In STARTED: the bytes are not requests any more (upgraded, CONNECT, a raw server). */
export const OPAQUE = -1;

export const DEFAULT_SLOTS = 16384;

/** Index of the first word of a slot. */
export function slotBase(slot: number): number {
  return HEADER_WORDS + slot * SLOT_WORDS;
}

/** A new zeroed table with room for `slots` upstream connections. */
export function createConnectionTable(slots: number = DEFAULT_SLOTS): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * (HEADER_WORDS + slots * SLOT_WORDS)));
}
