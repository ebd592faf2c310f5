/** Says what a cycle waits for when it takes long: after 2 s, and again after 10 s. */
import { TOLD_AFTER_MS } from "../common/deadlines.js";

export interface Described {
  /** `still evaluating src/db.ts:12, ...`, `waiting for ...`. */
  readonly line: string;
  /** The same, to follow "it waits for ". */
  readonly waitedFor: string;
  /** Somebody else has told it already. */
  readonly isTold: boolean;
}

export interface ProgressOptions {
  /** What is waited for now; undefined: it is not known. */
  describe(): Promise<Described | undefined>;
  tell(message: string): void;
  /** For tests: milliseconds after which it is told. */
  readonly afterMs?: readonly number[];
}

/** One for all cycles, which do not overlap. */
export class Progress {
  readonly #options: ProgressOptions;
  #timers: NodeJS.Timeout[] = [];
  /** Rises with each beginning and end: what was asked before counts for nothing. */
  #turn = 0;
  #waitingFor: string | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** What the cycle under way waits for, as last seen, to follow "it waits for "; undefined while it is not known. */
  get waitingFor(): string | undefined {
    return this.#waitingFor;
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
    this.#waitingFor = undefined;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  async #tell(turn: number, soFarMs: number): Promise<void> {
    const described = await this.#options.describe();
    if (described === undefined || turn !== this.#turn) return;
    const { line, waitedFor, isTold } = described;
    this.#waitingFor = waitedFor;
    if (!isTold) this.#options.tell(soFarMs === 0 ? line : `${line} (${Math.round(soFarMs / 1000)} s so far)`);
  }
}
