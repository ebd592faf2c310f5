/**
 * Queues of packages that a purge may have stopped. A package that does one job after the other sets timers for the pauses between
 * them; those of a module that is purged end, since they might as well be a job that comes again and again. When the queue is
 * the package's for all, it stands still then, and who waits for it waits for ever: only a fresh thread helps.
 */
import type { InFlight } from "./listener/in-flight.js";

export interface StoppedQueuesOptions {
  readonly requests: Pick<InFlight, "now" | "unansweredSince">;
  /** Somebody waits, and may wait for the queue. */
  stopped(file: string, packageName: string): void;
  /** Runs `look` again and again, as often as `LOOK_MS` says, in nobody's context; returns the end of it. */
  repeat(look: () => void): () => void;
}

export const LOOK_MS = 250;
/** In so many looks, one after the other, the same is waited for: 2 s in which the thread had nothing else to do. */
const LOOKS = 8;

export class StoppedQueues {
  readonly #options: StoppedQueuesOptions;
  /** The last one, until it is told: of each thread one is enough. */
  #ended: { readonly file: string; readonly packageName: string; readonly at: number } | undefined;
  #endLooking: (() => void) | undefined;
  /** A plan's modules are being evaluated. */
  isEvaluating = false;
  #looks = 0;

  constructor(options: StoppedQueuesOptions) {
    this.#options = options;
  }

  /** The purge of a file has ended a pause of a package. */
  ended(file: string, packageName: string): void {
    this.#ended = { file, packageName, at: this.#options.requests.now() };
    this.#endLooking ??= this.#options.repeat(() => this.#look());
  }

  #look(): void {
    const ended = this.#ended;
    if (!ended) return;
    const waits = this.isEvaluating || this.#options.requests.unansweredSince(ended.at);
    this.#looks = waits ? this.#looks + 1 : 0;
    if (this.#looks < LOOKS) return;
    this.#endLooking?.();
    this.#endLooking = undefined;
    this.#ended = undefined;
    this.#options.stopped(ended.file, ended.packageName);
  }
}
