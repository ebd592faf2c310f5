/**
 * Which signals the app's threads listen for, so that the process listens in their place. A thread that is being replaced,
 * and one that is being reloaded, may have stopped to listen for what the next code listens for again: until the run is over
 * nothing is given up, since an unheard signal ends the process.
 */
import type { AppEpoch } from "../thread/app-epoch.js";

export interface AppSignalsOptions {
  /** The process shall listen for these, and for no others. */
  changed(signals: ReadonlySet<NodeJS.Signals>): void;
  /** The reload or start that is under way. */
  run(): Promise<unknown> | undefined;
}

export class AppSignals {
  readonly #options: AppSignalsOptions;
  /** Thread -> what its app listens for; from its first report to its end. */
  readonly #listened = new Map<AppEpoch, ReadonlySet<NodeJS.Signals>>();
  #wanted: ReadonlySet<NodeJS.Signals> = new Set();
  #isWaiting = false;

  constructor(options: AppSignalsOptions) {
    this.#options = options;
  }

  told(epoch: AppEpoch, signals: readonly string[]): void {
    this.#listened.set(epoch, new Set(signals as NodeJS.Signals[]));
    this.#look();
  }

  ended(epoch: AppEpoch): void {
    if (this.#listened.delete(epoch)) this.#look();
  }

  /** Threads whose app listens for the signal. */
  listeners(signal: NodeJS.Signals): AppEpoch[] {
    return [...this.#listened].filter(([, signals]) => signals.has(signal)).map(([epoch]) => epoch);
  }

  /** Has the app's listeners called. False: it has none. */
  async deliver(signal: NodeJS.Signals): Promise<boolean> {
    if (this.listeners(signal).length === 0) await this.#options.run();
    const heard = await Promise.all(this.listeners(signal).map((epoch) => epoch.offerSignal(signal)));
    // One that is blocked hears it later, as a blocked process does.
    return heard.some((isHeard) => isHeard !== false);
  }

  #look(): void {
    const now = new Set([...this.#listened.values()].flatMap((signals) => [...signals]));
    const run = this.#options.run();
    const next = run === undefined ? now : new Set([...this.#wanted, ...now]);
    if (run !== undefined && next.size > now.size) this.#lookAfter(run);
    if (next.size === this.#wanted.size && [...next].every((signal) => this.#wanted.has(signal))) return;
    this.#wanted = next;
    this.#options.changed(next);
  }

  #lookAfter(run: Promise<unknown>): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    void run.then(() => {
      this.#isWaiting = false;
      this.#look();
    });
  }
}
