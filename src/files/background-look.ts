/** Looks at the disk now and then without a request, where events do not tell. */

/** Time between two looks, */
const EVERY_MS = 300;
/** but longer when a look takes more than this share of it. */
const LARGEST_SHARE = 1 / 20;

/** Starts at once; does not keep the process alive. `look` may stop it. */
export class BackgroundLook {
  readonly #look: () => void;
  readonly #leastMs: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `leastMs`: least time between two looks; Infinity: never. */
  constructor(look: () => void, leastMs: number) {
    this.#look = look;
    this.#leastMs = leastMs;
    this.#wait(EVERY_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    if (this.#stopped || !Number.isFinite(this.#leastMs)) return;
    this.#timer = setTimeout(() => this.#tick(), Math.max(ms, this.#leastMs)).unref();
  }

  #tick(): void {
    const begun = performance.now();
    this.#look();
    this.#wait(Math.max(EVERY_MS, (performance.now() - begun) / LARGEST_SHARE));
  }
}
