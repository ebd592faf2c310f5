/**
 * Connections that a thread of the app opens to the app's own servers, in memory that it shares with main: main sees only
 * clients, and has to know which of them it may not keep waiting for that thread. Each thread has one. A word for each local
 * port, of which a connection's client has one for as long as it is open; in it a hash of the local address.
 */
import { countDuring } from "../nesting.js";

const PORTS = 65536;
/** Port 0 is nobody's: its word counts the connections that are being opened and are not in the list yet. */
const OPENING = 0;
const MAPPED = /^::ffff:(?=\d+\.)/;

export class OwnConnections {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** Without `buffer`: a new one. */
  constructor(buffer = new SharedArrayBuffer(PORTS * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Runs what opens a connection and adds it: main may see the client before it is in the list. */
  open<Result>(run: () => Result): Result {
    return countDuring(this.#words, OPENING, run);
  }

  /** Such a connection is being opened from here. Before its first byte is sent. */
  add(address: string, port: number): void {
    Atomics.store(this.#words, port, hashOf(address));
  }

  delete(port: number): void {
    Atomics.store(this.#words, port, 0);
  }

  /** A client that is not in the list may be a moment later. */
  get opening(): boolean {
    return Atomics.load(this.#words, OPENING) > 0;
  }

  /** Whether the client with this address is the thread; `opening` is to be read before. */
  has(address: string | undefined, port: number | undefined): boolean {
    if (address === undefined || port === undefined) return false;
    const word = Atomics.load(this.#words, port);
    return word !== 0 && word === hashOf(address);
  }
}

/** Never 0. An IPv4 address that a server for both families shows as an IPv6 one is the same address. */
function hashOf(address: string): number {
  let hash = 7;
  for (const letter of address.replace(MAPPED, "")) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0;
  return hash || 1;
}
