/**
 * Watchers of files that are no emitters. `watch()` of `node:fs/promises`: at purge it is closed, and a loop over it waits for
 * ever, as one over a timer does. `fs.watchFile`: Node shares one watcher among all who watch a file, so the listener is what
 * a purge takes away.
 */
import fs from "node:fs";
import { inherits, isObject } from "../../src/common/untouched.js";
import { callerOf } from "./caller.js";
import type { Ledger, LedgerEntry } from "./ledger.js";
import { type AnyFunction, replaceMethod } from "./replace.js";

type Options = { readonly signal?: AbortSignal; readonly encoding?: string } | undefined;
type Watching = AsyncIterator<unknown, unknown, unknown> & AsyncIterable<unknown>;

/** Returns the way back. */
export function installFileWatches({ ledger }: { readonly ledger: Ledger }): () => void {
  const restores = [watchPromises(ledger), watchFiles(ledger)];
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

function watchFiles(ledger: Ledger): () => void {
  const { unwatchFile } = fs;
  return replaceMethod(fs, "watchFile", (original) => {
    const wrapped: AnyFunction = function watchFile(this: unknown, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      if (ledger.owner === undefined || callerOf(wrapped).kind === "supervisor") return result;
      const listener = args.find((argument) => typeof argument === "function");
      ledger.record("file watcher", () => unwatchFile(args[0] as string, listener as () => void));
      return result;
    };
    return wrapped;
  });
}

function watchPromises(ledger: Ledger): () => void {
  return replaceMethod(fs.promises, "watch", (original) => {
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
