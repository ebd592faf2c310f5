/**
 * What this thread waits for at the moment, for whom it takes too long: hooks, clean-up, requests. (Modules that wait are
 * known by the loader.)
 */

/** Something that is waited for. */
export interface Wait {
  /** `a dispose hook`, `onDelete`: with `of FILE` after it. */
  readonly what: string;
  /** Whose it is; absolute. */
  readonly file: string | undefined;
  /** `performance.now()` of its beginning. */
  readonly since: number;
}

export class Waits {
  /** From the beginning of the wait to its end, however that comes. */
  readonly #waits = new Set<Wait>();

  /** The promise itself, which counts as waited for until it has settled. */
  async during<Result>(what: string, file: string | undefined, promise: PromiseLike<Result>): Promise<Result> {
    const wait: Wait = { what, file, since: performance.now() };
    this.#waits.add(wait);
    try {
      return await promise;
    } finally {
      this.#waits.delete(wait);
    }
  }

  /** Longest first: what is within another wait comes after it. */
  get all(): readonly Wait[] {
    return [...this.#waits];
  }
}
