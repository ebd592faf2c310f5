/** Somebody is in the middle of an edit of several files: saves wait until it is over, and are one reload then. */

export interface HoldOptions {
  /** Begun, prolonged or over. */
  changed(): void;
  /** What has been saved meanwhile is to be taken in. */
  over(): void;
}

export class Hold {
  readonly #options: HoldOptions;
  /** In milliseconds since 1970; null: until it is released. Undefined: there is none. */
  #until: number | null | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  get isActive(): boolean {
    return this.#until !== undefined;
  }

  get state(): { readonly until: number | null } | null {
    return this.#until === undefined ? null : { until: this.#until };
  }

  /** From now on, for `forMs` at the most; what was begun before ends by this one's time. */
  begin(forMs: number | undefined): void {
    clearTimeout(this.#timer);
    this.#until = forMs === undefined ? null : Date.now() + forMs;
    if (forMs !== undefined) this.#timer = setTimeout(() => this.release(), forMs);
    this.#options.changed();
  }

  /** False: there was none. */
  release(): boolean {
    if (!this.isActive) return false;
    this.stop();
    this.#options.changed();
    this.#options.over();
    return true;
  }

  /** Without taking anything in. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#until = undefined;
  }
}
