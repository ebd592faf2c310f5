/** When an app that ended by itself is started again. Pure. */
import { CRASH_BACK_OFF_MS, STABLE_MS } from "../common/deadlines.js";

export interface Crash {
  /** Milliseconds from the end of its start to its own. */
  readonly livedMs: number;
  /** It had begun a request or a call: that is most probably what it fell over, which says nothing about its start. */
  readonly wasAnswering: boolean;
  /** It had opened a server. */
  readonly listened: boolean;
  /** `process.exit(0)`, say. */
  readonly code: number | undefined;
  /** It had nothing left to do. */
  readonly isOver: boolean;
}

/** Somebody who tries a broken handler again and again is no loop; so many in a row that come at once after a start are. */
const MOST_SHORT_LIVES = 10;
const SHORT_LIFE_MS = 1000;

export class CrashBackOff {
  #crashes = 0;
  /** Ends in a row, each soon after its start, with a request begun. */
  #shortLives = 0;

  /** Milliseconds until it is started again; undefined: when somebody saves a file. */
  next({ livedMs, wasAnswering, listened, code, isOver }: Crash): number | undefined {
    // A script that has done its work is done.
    if (isOver || (code === 0 && !listened)) return undefined;
    this.#shortLives = livedMs < SHORT_LIFE_MS ? this.#shortLives + 1 : 0;
    if (wasAnswering && this.#shortLives <= MOST_SHORT_LIVES) return 0;
    if (livedMs >= STABLE_MS) this.#crashes = 0;
    return CRASH_BACK_OFF_MS[this.#crashes++];
  }

  /** Somebody has saved a file, or asked for a fresh worker: it may be mended. */
  reset(): void {
    this.#crashes = 0;
  }

  /** It has crashed, and again after it was started at once. */
  get isLooping(): boolean {
    return this.#crashes > 1;
  }
}
