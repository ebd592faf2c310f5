/** What has come and is not taken in yet: changes of files, what modules have taken back, what the host has asked for. */
import type { FileRegistry } from "../files/registry.js";
import type { LoadedApp } from "./loaded-app.js";
import { PendingChanges } from "./pending.js";

export class Arrivals {
  readonly #registry: FileRegistry;
  /** A look has found something new. */
  readonly #onNews: () => void;
  /** What has come since the cycle under way began: for the next one. */
  #arrived = new PendingChanges();
  /** A look at the files that is under way: what it has been told by the registry is not in `#arrived` yet. */
  #looking: Promise<void> | undefined;
  /** Files that have taken back what they accepted; with true the file goes, too. */
  readonly #invalidated = new Map<string, boolean>();
  /** Those of the cycles that run: a second time is no news, and might go on for ever. */
  readonly #invalidatedInRun = new Set<string>();
  /** `clear()` was called, and nobody has come since. */
  #cleared = false;

  constructor(registry: FileRegistry, onNews: () => void) {
    this.#registry = registry;
    this.#onNews = onNews;
  }

  /** There is something to take in, or may be. */
  get any(): boolean {
    return this.#invalidated.size > 0 || this.#cleared || this.#looking !== undefined || !this.#arrived.isNothing;
  }

  /** Saved files that have come since the cycle under way began. */
  get saved(): string[] {
    return this.#arrived.empty ? [] : this.#arrived.all();
  }

  /** Everything is to be loaded again. */
  clear(): void {
    this.#cleared = true;
  }

  /** False for a file that has done so in this run. */
  invalidate(file: string, again: boolean): boolean {
    if (this.#invalidatedInRun.has(file)) return false;
    this.#invalidatedInRun.add(file);
    this.#invalidated.set(file, again);
    return true;
  }

  /**
   * Notices what the registry has. One look at a time: the registry tells each change once, so that of two looks the later
   * one might tell the older state of a file last, and a run that ends beside a look would not know what that has been told.
   */
  look(): Promise<void> {
    this.#looking ??= this.#registry.checkWhenSaved().then((changes) => {
      this.#looking = undefined;
      this.#arrived.merge(changes);
      if (changes.length > 0) this.#onNews();
    });
    return this.#looking;
  }

  /** Looks now, and puts the changes of files into `pending`. Returns whether there were any. */
  async takeFiles(pending: PendingChanges): Promise<boolean> {
    // A look that is under way may have seen less than there is now.
    await this.#looking;
    await this.look();
    const isAny = !this.#arrived.isNothing;
    pending.take(this.#arrived);
    this.#arrived = new PendingChanges();
    return isAny;
  }

  /** Puts the rest into `pending`, and into what `app` has to load again. Returns whether that is everything. */
  takeRequests(pending: PendingChanges, app: LoadedApp | undefined): boolean {
    const isAll = this.#cleared;
    this.#cleared = false;
    if (isAll && app) app.damage(app.graph.files());
    for (const [file, again] of this.#invalidated) pending.invalidated.set(file, again);
    this.#invalidated.clear();
    return isAll;
  }

  /** The run has ended. */
  endRun(): void {
    this.#invalidatedInRun.clear();
  }
}
