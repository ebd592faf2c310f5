/**
 * The memory that both threads share: a header, then nine words for each upstream connection (one unix-socket
 * connection from the front to a server of the app). The worker writes the counters, the main thread reads them to know
 * where requests begin: a connection whose counters are equal is idle, and its next bytes are a new request.
 *
 * A slot is leased for one upstream connection. It may be leased again only after both ends have let go: the main thread
 * when its socket has closed, the worker by writing `released`; or when the worker has died.
 */
/** Words of the header that `listen-mailbox.ts` uses, from word 1 on. */
export const MAILBOX = 1;
export const MAILBOX_WORDS = 130;
/** Header word: number of the page that the worker says in place of the app; 0: the app answers. Written by main. */
export const SAID = MAILBOX + MAILBOX_WORDS;
const HEADER_WORDS = SAID + 1;
export const SLOT_WORDS = 9;

/** Header word: 1 while requests must be held (something is stale, reloading or booting). Written by main. */
export const HOLD = 0;

/** Slot words, relative to the slot's first word. */
export const STARTED = 0;
/** Requests whose answer the app has ended; written before the last bytes are. */
export const FINISHED = 1;
/** How the worker closed the socket, written before it does so; `STILL_OPEN` at the end of the bytes means a crash. */
export const CLOSED_ON_PURPOSE = 2;
/** 1 once the worker will never write to this slot again. */
export const RELEASED = 3;

/** Requests whose answer has left the worker whole. Never more than FINISHED. */
export const FLUSHED = 4;

/** 1 once the worker has taken the connection from the kernel's queue and read whose it is. */
export const SEEN = 5;

/**
 * 1 once another worker serves the port: no request may begin here any more. Written by main. The worker raises STARTED
 * before it looks here, and main reads STARTED after it has written this: one of them sees what the other one did.
 */
export const MOVED = 6;

/** 1 once the client's connection was reset: the end of the bytes is an error. Written by main, before it ends them. */
export const BROKEN = 7;

/** Bytes (modulo 2^32) up to the end of the last answer that has left whole; written before FLUSHED. */
export const WHOLE_BYTES = 8;

/** In CLOSED_ON_PURPOSE. */
export const STILL_OPEN = 0;
/** The app ended its half; it may still read. */
export const ENDED = 1;
export const DESTROYED = 2;
/** The app asked for a TCP reset. */
export const RESET = 3;
/** The server was replaced while the connection was idle: the client stays and its next request goes to the new one. */
export const LET_GO = 4;

/** In STARTED: the bytes are not requests any more (upgraded, CONNECT, a raw server). */
export const OPAQUE = -1;

const DEFAULT_SLOTS = 16384;

/** Index of the first word of a slot. */
export function slotBase(slot: number): number {
  return HEADER_WORDS + slot * SLOT_WORDS;
}

/** A new zeroed table with room for `slots` upstream connections. */
export function createConnectionTable(slots: number = DEFAULT_SLOTS): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * (HEADER_WORDS + slots * SLOT_WORDS)));
}
