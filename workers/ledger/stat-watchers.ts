/** `fs.watchFile`: Node shares one watcher among all who watch a file, so the listener is what a purge takes away. */
import fs from "node:fs";
import { callerOf } from "./caller.js";
import type { Ledger } from "./ledger.js";
import { type AnyFunction, replaceMethod } from "./replace.js";

export interface StatWatchersOptions {
  readonly ledger: Ledger;
}

/** Returns the way back. */
export function installStatWatchers({ ledger }: StatWatchersOptions): () => void {
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
