/** Work that may begin again within itself: whether any is under way. */
export class Nesting {
  #depth = 0;

  get isUnderWay(): boolean {
    return this.#depth > 0;
  }

  run<Result>(work: () => Result): Result {
    this.#depth++;
    try {
      return work();
    } finally {
      this.#depth--;
    }
  }
}

/** Runs `work`; `words[at]` is higher by one meanwhile. */
export function countDuring<Result>(words: Int32Array, at: number, work: () => Result): Result {
  Atomics.add(words, at, 1);
  try {
    return work();
  } finally {
    Atomics.sub(words, at, 1);
  }
}
