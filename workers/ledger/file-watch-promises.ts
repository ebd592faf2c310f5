/** `watch()` of `node:fs/promises`: at purge it is closed, and a loop over it waits for ever, as one over a timer does. */
import fs from "node:fs/promises";
import { inherits, isObject } from "../../src/common/untouched.js";
import { callerOf } from "./caller.js";
import type { Ledger, LedgerEntry } from "./ledger.js";
import { type AnyFunction, replaceMethod } from "./replace.js";

export interface FileWatchPromisesOptions {
  readonly ledger: Ledger;
}

type Options = { readonly signal?: AbortSignal; readonly encoding?: string } | undefined;
type Watching = AsyncIterator<unknown, unknown, unknown> & AsyncIterable<unknown>;

/** Returns the way back. */
export function installFileWatchPromises({ ledger }: FileWatchPromisesOptions): () => void {
  return replaceMethod(fs, "watch", (original) => {
    const watch: AnyFunction = function (this: unknown, ...args: unknown[]): unknown {
      const [file, options] = args;
      if (ledger.owner === undefined || callerOf(watch).kind !== "own" || !areValid(options)) {
        return Reflect.apply(original, this, args);
      }
      const purged = new AbortController();
      const rest: Options = typeof options === "string" ? { encoding: options } : options;
      const signal = rest?.signal ? AbortSignal.any([rest.signal, purged.signal]) : purged.signal;
      const watching = Reflect.apply(original, this, [file, { ...rest, signal }]) as Watching;
      return untilPurged(
        watching,
        purged.signal,
        ledger.record("file watcher", () => purged.abort()),
      );
    };
    return watch;
  });
}

/** The same steps, until the signal is given: what is waited for then stays pending. */
function untilPurged(watching: Watching, purged: AbortSignal, entry: LedgerEntry | undefined): Watching {
  const follow = <Result>(step: Promise<Result>, ends: (result: Result) => boolean): Promise<Result> =>
    new Promise((resolve, reject) => {
      step.then(
        (result) => {
          if (purged.aborted) return;
          if (ends(result)) entry?.drop();
          resolve(result);
        },
        (error: unknown) => {
          if (purged.aborted) return;
          entry?.drop();
          reject(error);
        },
      );
    });
  const steps: Watching = {
    next: () => follow(watching.next(), ({ done }) => done === true),
    return: (value) => follow(watching.return?.(value) ?? Promise.resolve({ done: true, value }), () => true),
    throw: (error) => follow(watching.throw?.(error) ?? Promise.reject(error), () => true),
    [Symbol.asyncIterator]: () => wrapped,
  };
  const wrapped = Object.assign(Object.create(watching) as Watching, steps);
  return wrapped;
}

/** Others are for Node to refuse. */
function areValid(options: unknown): options is string | Options {
  if (options === undefined || typeof options === "string") return true;
  if (typeof options !== "object" || options === null) return false;
  const { signal } = options as { signal?: unknown };
  return signal === undefined || (isObject(signal) && inherits(signal, AbortSignal.prototype));
}
