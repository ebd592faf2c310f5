/**
 * Specifiers that are worked out at run time (`import("./pages" + request.url)`): as many as clients like. The newest are
 * known to both threads: the worker tells each once, and main watches the folders in which an added file would change
 * where it leads. What is older is forgotten by both, and told again, and looked up again, when it is used again; so
 * nothing of them is kept that a file added meanwhile could make wrong.
 */

/** Lookups that the worker takes for known to main. Main keeps more: those of two threads, and some on their way. */
export const LATE_LOOKUPS = 1000;
export const LATE_LOOKUPS_IN_MAIN = 4 * LATE_LOOKUPS;

/** A set that forgets its oldest entry when it is full. An entry that is used again stays as old as it was. */
export class NewestKeys {
  readonly #limit: number;
  /** In the order in which they were added. */
  readonly #keys = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns false when it is there already; else what had to go for it, if anything. */
  add(key: string): { readonly forgotten: string | undefined } | false {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size <= this.#limit) return { forgotten: undefined };
    const [oldest] = this.#keys;
    this.#keys.delete(oldest as string);
    return { forgotten: oldest };
  }

  get size(): number {
    return this.#keys.size;
  }
}
