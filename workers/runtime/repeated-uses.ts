/**
 * Files that a timer of a module uses again and again (an interval, a loop with pauses): what it reads anew in each of its
 * callbacks is fresh by itself, and a file that it looks for again and again is one that it waits for. What it has read in one of them (it waited for a file to come) is read once, as at an evaluation.
 */

/** In so many callbacks: it comes again. */
const AGAIN = 3;
/** Names that a version makes up for ever are not followed. */
const MOST = 200;

export class RepeatedUses {
  /** Use to the callbacks in which it was; undefined: it comes again, and counts no more. Dies with the version. */
  readonly #uses = new Map<string, readonly object[] | undefined>();

  /** Whether it has counted only as the use of such callbacks. */
  has(use: string): boolean {
    return this.#uses.has(use);
  }

  /** It is a use of the evaluation as well, or a timer's that comes once. */
  drop(use: string): void {
    this.#uses.delete(use);
  }

  /** A callback uses it: `first`: it counts from now on; `again`: no more; `known`: as before. */
  take(use: string, callback: object): "first" | "again" | "known" {
    const before = this.#uses.get(use);
    if (before === undefined) {
      if (this.#uses.has(use) || this.#uses.size >= MOST) return "known";
      this.#uses.set(use, [callback]);
      return "first";
    }
    if (before.includes(callback)) return "known";
    const isAgain = before.length + 1 === AGAIN;
    this.#uses.set(use, isAgain ? undefined : [...before, callback]);
    return isAgain ? "again" : "known";
  }
}
