/** Says that a start compiles, when it takes long. The thread does nothing else meanwhile: no timer would come. */
import { COMPILING_TOLD_MS } from "../common/deadlines.js";

export interface CompileProgressOptions {
  /** The entry, as it is shown. */
  readonly entry: string;
  tell(message: string): void;
  /** For tests: milliseconds. */
  now?(): number;
}

export class CompileProgress {
  readonly #options: CompileProgressOptions;
  readonly #now: () => number;
  readonly #began: number;
  #nextMs = COMPILING_TOLD_MS;
  #files = 0;

  /** It begins now. */
  constructor(options: CompileProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#began = this.#now();
  }

  /** One more file has been compiled. */
  readonly compiled = (): void => {
    this.#files++;
    const ms = this.#now() - this.#began;
    if (ms < this.#nextMs) return;
    this.#nextMs = 2 * ms;
    const { entry, tell } = this.#options;
    tell(`compiling ${entry} and what it imports: ${this.#files} files in ${Math.round(ms / 100) / 10} s so far`);
  };
}
