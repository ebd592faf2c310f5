/** Says what a cycle waits for when it takes long: after 2 s, and again after 10 s. */

export interface ProgressOptions {
  /** What is waited for now, in words; undefined: it is not known, or is told by somebody else. */
  describe(): Promise<string | undefined>;
  tell(message: string): void;
  /** For tests: milliseconds after which it is told. */
  readonly afterMs?: readonly number[];
}

const TOLD_AFTER_MS = [2000, 10_000];

/** One for all cycles, which do not overlap. */
export class Progress {
  readonly #options: ProgressOptions;
  #timers: NodeJS.Timeout[] = [];
  /** Rises with each beginning and end: what was asked before counts for nothing. */
  #turn = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** A cycle begins. One that is under way has ended by it. */
  begin(): void {
    this.end();
    const turn = this.#turn;
    const { afterMs = TOLD_AFTER_MS } = this.#options;
    this.#timers = afterMs.map((ms, index) =>
      setTimeout(() => void this.#tell(turn, index === 0 ? 0 : ms), ms).unref(),
    );
  }

  /** Nothing is told any more. Idempotent. */
  end(): void {
    this.#turn++;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  async #tell(turn: number, soFarMs: number): Promise<void> {
    const text = await this.#options.describe();
    if (text === undefined || turn !== this.#turn) return;
    this.#options.tell(soFarMs === 0 ? text : `${text} (${Math.round(soFarMs / 1000)} s so far)`);
  }
}
