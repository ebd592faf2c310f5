/**
 * When to look for stale references: a while after the last reload, when no request is under way, and seldom. A look
 * costs a full garbage collection, which must never be on the way of a request.
 */

export interface ScheduleOptions {
  /** Milliseconds without a jump. */
  now(): number;
  /** Requests are being answered. */
  busy(): boolean;
  /** Looks; resolves with whether it has to be done once more. */
  check(): Promise<boolean>;
  /** Calls back once after `ms`; gives what takes it back. */
  after(ms: number, run: () => void): () => void;
}

/** From the last reload to the first look. */
const FIRST_MS = 2000;
/** From one look to the next. */
const BETWEEN_MS = 10_000;
/** When requests were under way. */
const AGAIN_MS = 1000;

export class StaleCheckSchedule {
  readonly #options: ScheduleOptions;
  #cancel: (() => void) | undefined;
  #lastCheck = Number.NEGATIVE_INFINITY;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  /** Something has been purged. */
  reloaded(): void {
    this.#wait(FIRST_MS);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(atLeast: number): void {
    this.#cancel?.();
    const untilNext = this.#lastCheck + BETWEEN_MS - this.#options.now();
    this.#cancel = this.#options.after(Math.max(atLeast, untilNext), () => void this.#due());
  }

  async #due(): Promise<void> {
    this.#cancel = undefined;
    if (this.#options.busy()) {
      this.#wait(AGAIN_MS);
      return;
    }
    this.#lastCheck = this.#options.now();
    const again = await this.#options.check();
    // A reload meanwhile has set its own time.
    if (again && this.#cancel === undefined) this.#wait(BETWEEN_MS);
  }
}
