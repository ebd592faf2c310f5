/**
 * What a purged version has begun (a `main()` that awaits the database) goes on until it fails, often because its
 * connections were closed with it. Nobody handles that rejection, and nobody needs to: it must not end the process.
 */
import { replaceMethod } from "./ledger/replace.js";
import type { Observer } from "./runtime/observer.js";

/** How long after a purge such a rejection is known for what it is; watching for ever would make requests dearer. */
const WATCH_MS = 2000;

export class LeftoverRejections {
  readonly #observer: Observer;
  #endWatching: (() => void) | undefined;

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  /** Keeps the rejections of purged versions from the process, and tells of them. Returns the way back. */
  install(rejected: (file: string, reason: unknown) => void): () => void {
    const observer = this.#observer;
    return replaceMethod(process, "emit", (emit) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        // Node emits it in the async context of the promise (20.20, 22, 24, 26).
        const owner = args[0] === "unhandledRejection" ? observer.owner : undefined;
        if (!owner?.purged) return Reflect.apply(emit, this, args);
        rejected(owner.file, args[1]);
        return true;
      };
    });
  }

  /** A purge begins. */
  watch(): void {
    const endEarlier = this.#endWatching;
    const end = this.#observer.followContinuations();
    this.#endWatching = end;
    endEarlier?.();
    setTimeout(() => {
      if (this.#endWatching !== end) return;
      this.#endWatching = undefined;
      end();
    }, WATCH_MS).unref();
  }
}
