/** The process listens for the signals that the app listens for: Node tells signals to the main thread only. */
import { MAINS_OWN_SIGNALS } from "../common/signals.js";
import type { IsCopy } from "./end-on-signals.js";

export interface SignalTarget {
  /** False: the app does not listen for it any more. */
  deliver(signal: NodeJS.Signals): Promise<boolean>;
}

export class RealSignals {
  readonly #target: SignalTarget;
  readonly #isCopy: IsCopy;
  readonly #listened = new Map<NodeJS.Signals, () => void>();

  constructor(target: SignalTarget, isCopy: IsCopy) {
    this.#target = target;
    this.#isCopy = isCopy;
  }

  /** Listens for these and for no others. The process has its own listeners for some; those are left alone. */
  listenFor(signals: ReadonlySet<NodeJS.Signals>): void {
    for (const signal of this.#listened.keys()) if (!signals.has(signal)) this.#drop(signal);
    for (const signal of signals) if (!MAINS_OWN_SIGNALS.has(signal)) this.#listen(signal);
  }

  #listen(signal: NodeJS.Signals): void {
    if (this.#listened.has(signal)) return;
    const heard = (): void => void this.#heard(signal);
    this.#listened.set(signal, heard);
    process.on(signal, heard);
  }

  #drop(signal: NodeJS.Signals): void {
    const heard = this.#listened.get(signal);
    this.#listened.delete(signal);
    if (heard) process.off(signal, heard);
  }

  async #heard(signal: NodeJS.Signals): Promise<void> {
    if (this.#isCopy(signal)) return;
    if (await this.#target.deliver(signal)) return;
    // It does now what it does in a process that does not listen for it.
    this.#drop(signal);
    process.kill(process.pid, signal);
  }
}
