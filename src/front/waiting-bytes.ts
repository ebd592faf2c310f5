/** Bytes of a client that wait for the turn, the gate, a server or a slot. They count among those of all held requests. */
import type { HeldClients } from "./held-clients.js";
import type { Turn } from "./turn.js";

export class WaitingBytes {
  readonly #held: Pick<HeldClients, "resize">;
  readonly #turn: Pick<Turn, "now" | "haveEnded">;
  #chunks: Buffer[] = [];
  #size = 0;
  /** When the last of them came. */
  #cameAt = 0;

  constructor(held: Pick<HeldClients, "resize">, turn: Pick<Turn, "now" | "haveEnded">) {
    this.#held = held;
    this.#turn = turn;
  }

  /**
   * A save from before the last of them may not have been noticed yet, and they may hold another request than the one that
   * waits: all wait for the turns of the last. That comes to an end, since a client that has sent much is paused.
   */
  get areNew(): boolean {
    return !this.#turn.haveEnded(this.#cameAt);
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
    this.#cameAt = this.#turn.now;
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
