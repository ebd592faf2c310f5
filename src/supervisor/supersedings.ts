/**
 * Whether changes that come while a start or a reload is under way put an end to it. A save does; a file that the app
 * itself writes whenever it starts must not, or it would never come to an end. Pure.
 */

/** So often in a row the same files may put an end to what is under way so soon, or always so late, after it began. */
const MOST_IN_A_ROW = 3;
/** Nobody saves, again and again, so soon after the save before. */
const SOON_MS = 2000;
/** A large app that writes later than that does so after about the same time at each start, which people do not. */
const ALIKE = 1.5;
/** What goes on for so long is stuck: any save ends it. */
const LONG_MS = 10_000;

export class Supersedings {
  #files = "";
  #inARow = 0;
  /** Of the last one. */
  #ageMs = 0;

  /** `ageMs`: how long what is under way has been so. */
  mayEnd(files: readonly string[], ageMs: number): boolean {
    const named = [...files].sort().join("\n");
    const isAlike = ageMs <= SOON_MS || (ageMs < this.#ageMs * ALIKE && ageMs > this.#ageMs / ALIKE);
    if (named !== this.#files || (!isAlike && ageMs < LONG_MS)) this.#inARow = 0;
    this.#files = named;
    this.#ageMs = ageMs;
    if (ageMs < LONG_MS && this.#inARow >= MOST_IN_A_ROW) return false;
    this.#inARow++;
    return true;
  }

  /** Something has come to its end. */
  ended(): void {
    this.#inARow = 0;
    this.#files = "";
  }
}
