/**
 * Reloads that reloads cause: a file that modules read is written whenever they are evaluated, by a process that the app
 * starts, say. After a few in a row, between which nobody has asked for anything, what becomes of it changes nothing.
 */
import { shownPath } from "../common/paths.js";
import type { PendingChanges } from "./pending.js";

const MOST_IN_A_ROW = 5;
/** From the end of a cycle: nobody saves so soon, again and again, and asks for nothing. */
const SOON_MS = 250;

export interface CausedReloadsOptions {
  readonly root: string;
  warn(message: string): void;
}

export class CausedReloads {
  readonly #options: CausedReloadsOptions;
  #files = "";
  #inARow = 0;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(options: CausedReloadsOptions) {
    this.#options = options;
  }

  /** Who asks for the app, or for a reload, wants what is saved. */
  asked(): void {
    this.#inARow = 0;
  }

  /** A cycle has come to its end. */
  ended(): void {
    this.#endedAt = performance.now();
  }

  /** Takes out of `pending` what the cycles before have caused; true: it has. Modules stay: nothing tells people's saves from such. */
  drop(pending: PendingChanges, isModule: (file: string) => boolean): boolean {
    const files = pending.all();
    if (files.length === 0) return false;
    const named = files.join("\n");
    const isSame = named === this.#files && performance.now() - this.#endedAt < SOON_MS;
    const isCaused = isSame && pending.config.size === 0 && !files.some(isModule);
    this.#inARow = isCaused ? this.#inARow + 1 : 0;
    this.#files = named;
    if (this.#inARow < MOST_IN_A_ROW) return false;
    for (const file of files) for (const kind of [pending.changed, pending.deleted, pending.added]) kind.delete(file);
    if (this.#inARow > MOST_IN_A_ROW) return true;
    const shown = files.map((file) => shownPath(file, this.#options.root)).join(", ");
    this.#options.warn(
      `${shown}: written whenever the app loads, by itself as it seems; it is not loaded again for that`,
    );
    return true;
  }
}
