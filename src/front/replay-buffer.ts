/**
 * Bytes that were sent to a server of the app and may have to be sent to another one: those of requests that the app has
 * not begun. How many it has begun is known from shared memory; where those end is looked up in the bytes, when it matters.
 */
import { RequestScan } from "./request-scan.js";

/** Bytes of requests that are kept to send them again, and bytes that wait before the client is paused. */
export const REPLAY_LIMIT = 262144;

/** Of a request that the app has begun so much may be kept: enough for a page to be made of its head. */
const BEGUN_LIMIT = 32768;

export class ReplayBuffer {
  #kept: Buffer[] = [];
  #size = 0;
  readonly #scan = new RequestScan();
  /** Requests that end before the kept bytes, of those that were begun since `settle`; -1: one before that is not whole yet. */
  #dropped = 0;

  get size(): number {
    return this.#size;
  }

  /** The bytes before the kept ones end within the body of a request that the app has begun. */
  get cut(): boolean {
    return this.#scan.inBody || this.#dropped < 0;
  }

  /**
   * Keeps bytes that are about to be sent. `begun`: requests that the app has begun since `settle`. False when they must wait
   * until it has begun more.
   */
  add(bytes: Buffer, begun: number): boolean {
    if (begun > 0 && this.#size + bytes.length > BEGUN_LIMIT) this.#trim(begun);
    const full = this.#size > 0 && this.#size + bytes.length > REPLAY_LIMIT;
    if (full && this.#dropped >= begun) return false;
    this.#kept.push(bytes);
    this.#size += bytes.length;
    // The rest of a request that was answered already is not sent again.
    if (this.#dropped < 0) this.#trim(0);
    return true;
  }

  /**
   * The app has begun and answered `begun` requests, and no others: counting starts again. False when the last of them has
   * not been sent whole, so that what comes next belongs to it.
   */
  dropAnswered(begun: number): boolean {
    this.#trim(begun);
    this.#dropped -= begun;
    if (this.#dropped >= 0) return true;
    if (this.#scan.inBody) return false;
    // No request that can be understood, like the one that the app has answered.
    this.reset();
    return true;
  }

  /** Whether the request after the first `begun` is kept from its beginning. */
  holds(begun: number): boolean {
    return this.#dropped < begun || (this.#dropped === begun && !this.#scan.inBody);
  }

  /** Takes out what belongs to requests after the first `begun`. Afterwards `skip` drops the rest of those, if there is more. */
  takeRest(begun: number): Buffer[] {
    this.#trim(begun);
    const rest = this.#kept;
    const cut = this.#dropped < begun && this.#scan.inBody;
    this.#kept = [];
    this.#size = 0;
    this.#dropped = cut ? -1 : 0;
    if (!cut) this.#scan.reset();
    return rest;
  }

  /** What is left of `bytes` after the request that was cut. */
  skip(bytes: Buffer): Buffer {
    if (this.#dropped >= 0) return bytes;
    const { to, ended } = this.#scan.go(bytes);
    if (ended) this.#dropped = 0;
    return bytes.subarray(to);
  }

  reset(): void {
    this.#kept = [];
    this.#size = 0;
    this.#dropped = 0;
    this.#scan.reset();
  }

  /** Lets go of the bytes of the first `begun` requests. */
  #trim(begun: number): void {
    let whole = 0;
    while (this.#dropped < begun && whole < this.#kept.length) {
      const bytes = this.#kept[whole] as Buffer;
      const { to, ended } = this.#scan.go(bytes);
      this.#size -= to;
      if (to === bytes.length) whole++;
      else this.#kept[whole] = bytes.subarray(to);
      if (ended) this.#dropped++;
    }
    if (whole === this.#kept.length) this.#kept = [];
    else if (whole > 0) this.#kept.splice(0, whole);
  }
}
