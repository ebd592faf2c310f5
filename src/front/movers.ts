/**
 * Connections whose port is another worker's by now, and whose requests go on in the old one. That an answer has ended shows
 * in shared memory only, so it is looked up now and then, while there are any.
 */

const LOOK_MS = 10;

export interface Mover {
  /** Moves on if nothing is under way on it; true when there is nothing left to do. */
  move(): boolean;
}

export class Movers {
  readonly #moving = new Set<Mover>();
  #timer: NodeJS.Timeout | undefined;

  add(mover: Mover): void {
    if (mover.move()) return;
    this.#moving.add(mover);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#moving.clear();
  }

  #look(): void {
    for (const mover of this.#moving) if (mover.move()) this.#moving.delete(mover);
    if (this.#moving.size === 0) this.close();
  }
}
