/**
 * A start that has failed, as Node tells it to the process whose main file has thrown: the app's own listeners for what
 * nobody catches are called, and its listeners for `exit` find the code of a failure.
 */
import { EventEmitter } from "node:events";
import { UNCAUGHT } from "../../src/common/exit-codes.js";
import type { BootOrder } from "../../src/common/protocol/orders.js";
import { isCaught } from "../process.js";
import type { Runtime } from "../runtime/runtime.js";
import { BegunByListeners } from "../signals/begun-by-listeners.js";

/** What ends brings no event. */
const LOOK_MS = 10;

/** What Node calls with each exception that nobody has caught. It ends the thread unless the app takes the exception. */
type Fatal = (error: unknown, isRejection: boolean) => boolean;

export class FailedStart {
  readonly #error: unknown;
  readonly #isRejection: boolean;
  readonly #begun = new BegunByListeners();

  constructor(error: unknown, { entry, nodePreloads }: BootOrder, runtime: Runtime) {
    this.#error = error;
    // Node loads the entry asynchronously then, and tells its failure as that of a promise.
    this.#isRejection = runtime.formatOf(entry) === "esm" || nodePreloads.some(({ kind }) => kind === "import");
  }

  /** As in a process: the thread ends by it, or the app has taken it and goes on. */
  raise(): void {
    (process as unknown as { _fatalException: Fatal })._fatalException(this.#error, this.#isRejection);
  }

  /** The same for a thread whose end is the supervisor's to bring about: nothing ends but by the app's own will. */
  tell(): void {
    if (isCaught()) {
      this.#begun.run(() => this.raise());
      return;
    }
    const origin = this.#isRejection ? "unhandledRejection" : "uncaughtException";
    // Not by `process.emit`, which tells main of the end of the thread.
    EventEmitter.prototype.emit.call(process, "uncaughtExceptionMonitor", this.#error, origin);
    process.exitCode = UNCAUGHT;
  }

  /** Whether the app's listeners have begun what is not over. */
  get goesOn(): boolean {
    return this.#begun.goesOn;
  }

  /** Resolves when what the app's listeners have begun is over, after `deadlineMs` at the latest. */
  over(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    return new Promise((resolve) => {
      const looks = setInterval(() => {
        if (this.goesOn && performance.now() < end) return;
        clearInterval(looks);
        this.#begun.close();
        resolve();
      }, LOOK_MS);
    });
  }
}
