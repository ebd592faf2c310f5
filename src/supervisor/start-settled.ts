/** Whether the app's start is over: it listens, has failed, or has nothing to do that could still lead to a server. */
import { START_SETTLED_MS } from "../common/deadlines.js";

export class StartSettled {
  readonly #onSettle: () => void;
  #settled = false;
  readonly #waiting = new Set<() => void>();

  constructor(onSettle: () => void = () => undefined) {
    this.#onSettle = onSettle;
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  /** It starts again, in a fresh worker. */
  again(): void {
    this.#settled = false;
  }

  settle(): void {
    this.#settled = true;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    this.#onSettle();
  }

  /** Resolves when it is over, after a minute at the latest. */
  async wait(): Promise<void> {
    if (this.#settled) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      timer = setTimeout(() => {
        this.#waiting.delete(resolve);
        resolve();
      }, START_SETTLED_MS).unref();
    });
    clearTimeout(timer);
  }
}
