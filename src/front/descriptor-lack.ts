/** Says once that the process has run out of descriptors, and again when it happens after a while without. */

const WITHOUT_MS = 10_000;

export class DescriptorLack {
  readonly #warn: (message: string) => void;
  /** On the clock of `performance.now()`. */
  #lastTime = Number.NEGATIVE_INFINITY;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** An accept or a connection to the worker has failed for want of a descriptor. */
  met(code: string): void {
    const now = performance.now();
    const isNew = now - this.#lastTime > WITHOUT_MS;
    this.#lastTime = now;
    if (!isNew) return;
    this.#warn(
      `no descriptors are left (${code}): clients that are connected are served, new ones wait or are turned away until ` +
        "others leave; raise the limit (ulimit -n), each connection takes up to three",
    );
  }
}
