/**
 * Reloads that reloads cause: a file that modules read is written whenever they are evaluated, by a process that the app
 * starts, say. After a few in a row, between which nobody has asked for anything, what becomes of it changes nothing: but for
 * once, when somebody asks, since a script may save as often.
 */
import { shownPath } from "../common/paths.js";
import { PendingChanges } from "./pending.js";

const MOST_IN_A_ROW = 5;
/** Of files of modules, which people and scripts save, too. */
const MOST_OF_MODULES = 20;
/** After so many, a line says so. */
const TOLD_AT = 10;
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
  /** What was taken out and is to be taken in when somebody asks. */
  #dropped = new PendingChanges();
  #isDue = false;
  /** Files that were taken in for somebody who asked, and are written again for that. */
  #certain = "";

  constructor(options: CausedReloadsOptions) {
    this.#options = options;
  }

  /** Who asks for the app, or for a reload, wants what is saved. */
  asked(): void {
    this.#inARow = 0;
    this.#isDue ||= !this.#dropped.isNothing;
  }

  /** Something that was taken out has to be taken in. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** A cycle has come to its end. */
  ended(): void {
    this.#endedAt = performance.now();
  }

  /** Takes out of `pending` what the cycles before have caused; true: it has. */
  drop(pending: PendingChanges, isModule: (file: string) => boolean): boolean {
    if (this.#isDue) {
      this.#isDue = false;
      this.#certain = this.#dropped.all().join("\n");
      pending.take(this.#dropped);
      this.#dropped = new PendingChanges();
    }
    const files = pending.all();
    if (files.length === 0) return false;
    const named = files.join("\n");
    const isSame = named === this.#files && performance.now() - this.#endedAt < SOON_MS;
    const isOfModules = files.some(isModule);
    this.#inARow = isSame && pending.config.size === 0 ? this.#inARow + 1 : 0;
    this.#files = named;
    const shown = files.map((file) => shownPath(file, this.#options.root)).join(", ");
    if (isOfModules && this.#inARow === TOLD_AT)
      this.#options.warn(
        `${shown}: written again right after each of the last ${TOLD_AT} reloads, by a process of the app as it seems; --ignore leaves it alone`,
      );
    const most = isOfModules ? MOST_OF_MODULES : MOST_IN_A_ROW;
    if (this.#inARow < most) return false;
    if (named !== this.#certain) this.#dropped.take(pending);
    for (const file of files) for (const kind of [pending.changed, pending.deleted, pending.added]) kind.delete(file);
    if (this.#inARow > most) return true;
    this.#options.warn(
      `${shown}: written whenever the app loads, by itself as it seems; it is not loaded again for that`,
    );
    return true;
  }
}
