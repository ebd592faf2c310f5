/** The work on the app that is under way: one cycle after the other, until nothing is left to do. */
import type { ReloadReport } from "../reports/report.js";

/** Why what is under way is not to go on. */
export type Interrupt = "superseded" | "restart" | "closing";

export class Run {
  /** Settles when nothing is left to do; never rejects. */
  readonly done: Promise<ReloadReport>;
  /** When the cycle that is at work began, on the clock of `performance.now()`. */
  began = performance.now();
  /** Of the cycle that is at work; another one for each. */
  #interruption = new AbortController();
  #why: Interrupt | undefined;
  #settle: (report: ReloadReport) => void = () => undefined;

  constructor() {
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Aborts when what is waited for is to be given up. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  get why(): Interrupt | undefined {
    return this.#why;
  }

  /** Gives up what is waited for, as soon as that can be given up. */
  interrupt(why: Interrupt): void {
    if (this.signal.aborted) return;
    this.#why = why;
    this.#interruption.abort();
  }

  /** What has interrupted it has been seen to. */
  goOn(): void {
    this.#interruption = new AbortController();
    this.#why = undefined;
  }

  end(report: ReloadReport): void {
    this.#settle(report);
  }
}
