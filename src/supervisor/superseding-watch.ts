/** Looks, while a run is under way, whether a save has come that supersedes what the run is at work on. */
import { BLOCKED_MS, QUIET_MS, SUPERSEDE_MS } from "../common/deadlines.js";
import { shownPath } from "../common/paths.js";
import type { Arrivals } from "./arrivals.js";
import type { OwnWrites } from "./own-writes.js";
import type { Run } from "./run.js";
import { Supersedings } from "./supersedings.js";

export interface SupersedingWatchOptions {
  readonly root: string;
  readonly arrivals: Arrivals;
  /** What the app writes itself is no save. */
  readonly ownWrites: Pick<OwnWrites, "has">;
  /** The run is still the one that is under way. */
  isUnderWay(run: Run): boolean;
  warn(message: string): void;
}

export class SupersedingWatch {
  readonly #options: SupersedingWatchOptions;
  readonly #supersedings = new Supersedings();
  #timer: NodeJS.Timeout | undefined;
  /** What was told of the cycle that is under way. */
  #told = "";

  constructor(options: SupersedingWatchOptions) {
    this.#options = options;
  }

  /** Something may have been saved: looks in a moment, once. */
  look(run: Run): void {
    // What has taken long already gets no more time.
    const isLong = performance.now() - run.began >= BLOCKED_MS;
    this.#timer ??= setTimeout(() => void this.#look(run), isLong ? QUIET_MS : SUPERSEDE_MS);
  }

  /** The cycle of `run` has come to its end. */
  ended(run: Run): void {
    this.#told = "";
    if (run.why !== "superseded") this.#supersedings.ended();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(run: Run): Promise<void> {
    const { arrivals, ownWrites, isUnderWay } = this.#options;
    this.#timer = undefined;
    await arrivals.look();
    const files = arrivals.saved.filter((file) => !ownWrites.has(file));
    if (files.length === 0 || !isUnderWay(run)) return;
    if (this.#supersedings.mayEnd(files, performance.now() - run.began)) run.interrupt("superseded");
    else this.#tellOwnWrites(files);
  }

  #tellOwnWrites(files: readonly string[]): void {
    const { root, warn } = this.#options;
    const shown = files.map((file) => shownPath(file, root)).join(", ");
    if (shown === this.#told) return;
    this.#told = shown;
    warn(`${shown}: written whenever the app starts, by itself as it seems; the start goes on without it`);
  }
}
