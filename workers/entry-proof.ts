/**
 * Whether the app can be begun twice in one thread. A framework that keeps parts of its first application for good (a router in a
 * variable of the package) answers "not found" when the entry has been evaluated again, and nothing else tells. So after the first such reload the
 * first answer to something that was asked before is looked at.
 */

/** The newest of them. */
const MOST_KNOWN = 200;
const NOT_FOUND = 404;

export class EntryProof {
  readonly #entry: string;
  readonly #lost: (asked: string) => void;
  /** What has been answered well before the entry was evaluated again. */
  readonly #known = new Set<string>();
  /** When the entry was evaluated again, in milliseconds since 1970. */
  #againAt: number | undefined;
  #isOver = false;

  constructor(entry: string, lost: (asked: string) => void) {
    this.#entry = entry;
    this.#lost = lost;
  }

  /** These files have been purged, and evaluated again. */
  reloaded(files: readonly string[]): void {
    if (files.includes(this.#entry)) this.#againAt ??= Date.now();
  }

  /** A request that changes nothing has been answered. `began`: in milliseconds since 1970. */
  answered(asked: string, status: number, began: number): void {
    if (this.#isOver) return;
    const againAt = this.#againAt;
    if (againAt === undefined) {
      if (status < 400) this.#remember(asked);
      return;
    }
    // A route that nobody has asked for before may never have been there.
    const isKnown = this.#known.has(asked);
    if (began < againAt || (!isKnown && status >= 400)) return;
    this.#isOver = true;
    this.#known.clear();
    if (status === NOT_FOUND) this.#lost(asked);
  }

  #remember(asked: string): void {
    this.#known.delete(asked);
    this.#known.add(asked);
    const [oldest] = this.#known;
    if (oldest !== undefined && this.#known.size > MOST_KNOWN) this.#known.delete(oldest);
  }
}
