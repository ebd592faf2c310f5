/** Waiting that ends: for a promise, until a deadline, until an abort, whichever comes first. */

export type Waited<Value> =
  | { readonly type: "settled"; readonly value: Value }
  | { readonly type: "late" }
  | { readonly type: "aborted" };

export interface WaitLimits {
  /** Milliseconds; absent: as long as it takes. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rejects only as `pending` does. What comes of `pending` after a deadline or an abort is nobody's business. */
export function wait<Value>(pending: Promise<Value>, { deadlineMs, signal }: WaitLimits = {}): Promise<Waited<Value>> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const aborted = (): void => end({ type: "aborted" });
    const end = (waited: Waited<Value>): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      resolve(waited);
    };
    pending.then(
      (value) => end({ type: "settled", value }),
      (error: unknown) => {
        // First: a promise settles once.
        reject(error);
        end({ type: "late" });
      },
    );
    if (signal?.aborted) return void Promise.resolve().then(aborted);
    signal?.addEventListener("abort", aborted, { once: true });
    if (deadlineMs !== undefined) timer = setTimeout(() => end({ type: "late" }), deadlineMs);
  });
}

/** For what is reported when it fails: rejects also when the promise has not settled in time; it goes on. */
export async function withDeadline(pending: Promise<unknown>, deadlineMs: number): Promise<void> {
  const waited = await wait(pending, { deadlineMs });
  if (waited.type === "late") throw new Error(`not done after ${deadlineMs} ms`);
}

/** For what ends without an event: looks every `everyMs` whether it `isOver`, until `end` on the clock of `performance.now()`. */
export async function lookUntil(isOver: () => boolean, everyMs: number, end: number): Promise<void> {
  while (!isOver()) {
    const left = end - performance.now();
    if (left <= 0) return;
    await new Promise((resolve) => setTimeout(resolve, Math.min(everyMs, left)));
  }
}
