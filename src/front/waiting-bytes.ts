/** Bytes of a client that wait for the turn, the gate, a server or a slot. They count among those of all held requests. */
import type { HeldClients } from "./held-clients.js";

export class WaitingBytes {
  readonly #held: Pick<HeldClients, "resize">;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(held: Pick<HeldClients, "resize">) {
    this.#held = held;
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** In the order in which they came; valid until the next call. */
  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  push(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#resize(this.#size + bytes.length);
  }

  /** The first `count` chunks have been sent, which were `size` bytes. */
  sent(count: number, size: number): void {
    if (count === this.#chunks.length) this.#chunks.length = 0;
    else this.#chunks.splice(0, count);
    this.#resize(this.#size - size);
  }

  /** Nothing waits but `chunks`. */
  replace(chunks: readonly Buffer[]): void {
    this.#chunks = chunks.filter(({ length }) => length > 0);
    this.#resize(this.#chunks.reduce((size, { length }) => size + length, 0));
  }

  #resize(size: number): void {
    this.#held.resize(size - this.#size);
    this.#size = size;
  }
}
