/** Asks a thread what it waits for. It answers beside everything else that it does, unless it is blocked. */
import type { ThreadWait, WorkerReport } from "../protocol/messages.js";

export class WaitQuestions {
  readonly #send: (requestId: number) => void;
  /** Request id -> who waits; until the answer, or the deadline. */
  readonly #asked = new Map<number, (waits: readonly ThreadWait[] | undefined) => void>();
  #last = 0;

  /** `send` sends the order `tellWaits`. */
  constructor(send: (requestId: number) => void) {
    this.#send = send;
  }

  /** Undefined: it does not answer within `deadlineMs`. */
  ask(deadlineMs: number): Promise<readonly ThreadWait[] | undefined> {
    const requestId = ++this.#last;
    return new Promise((resolve) => {
      const settle = (waits: readonly ThreadWait[] | undefined): void => {
        clearTimeout(timer);
        this.#asked.delete(requestId);
        resolve(waits);
      };
      const timer = setTimeout(() => settle(undefined), deadlineMs);
      this.#asked.set(requestId, settle);
      this.#send(requestId);
    });
  }

  receive({ requestId, waits }: Extract<WorkerReport, { type: "waitsTold" }>): void {
    this.#asked.get(requestId)?.(waits);
  }

  /** The thread has ended. */
  end(): void {
    for (const settle of [...this.#asked.values()]) settle(undefined);
  }
}
