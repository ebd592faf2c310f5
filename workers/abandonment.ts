/** A plan (or the start) that nobody waits for any more: what it waits for is left, from beside the queue of orders. */

export class AbandonedError extends Error {
  constructor() {
    super("nobody waits for it any more");
    this.name = "AbandonedError";
  }
}

export class Abandonment {
  readonly #promise: Promise<never>;
  #reject: (error: AbandonedError) => void = () => undefined;

  constructor() {
    this.#promise = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Often nobody waits at that moment.
    this.#promise.catch(() => undefined);
  }

  abandon(): void {
    this.#reject(new AbandonedError());
  }

  /** Waits for what can be given up: throws AbandonedError then. */
  until<Value>(pending: Promise<Value>): Promise<Value> {
    return Promise.race([pending, this.#promise]);
  }

  /** Waits for what comes when there is no way back, and may go on by itself.. */
  async unless(pending: Promise<unknown>): Promise<void> {
    try {
      await this.until(pending);
    } catch (error) {
      if (!(error instanceof AbandonedError)) throw error;
    }
  }
}
