/** The working folder and the file mode mask, as modules set them while they are evaluated: put back at purge. */
import type { Ledger } from "./ledger.js";
import { type AnyFunction, replaceMethod } from "./replace.js";

/** Returns the way back. */
export function installProcessSettings({ ledger }: { readonly ledger: Ledger }): () => void {
  const restores = [folder(ledger), mask(ledger)];
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

function folder(ledger: Ledger): () => void {
  // A package that has replaced it (graceful-fs) must not be asked in the middle of its own chdir().
  const { cwd } = process;
  return replaceMethod(process, "chdir", (original) => {
    const chdir: AnyFunction = (...args) => {
      if (ledger.owner === undefined) return Reflect.apply(original, process, args);
      const before = cwd();
      const result = Reflect.apply(original, process, args);
      const after = cwd();
      if (before !== after) {
        ledger.record("working folder", () => {
          if (cwd() === after) process.chdir(before);
        });
      }
      return result;
    };
    return chdir;
  });
}

function mask(ledger: Ledger): () => void {
  return replaceMethod(process, "umask", (original) => {
    const umask: AnyFunction = (...args) => {
      const before = Reflect.apply(original, process, args);
      if (ledger.owner === undefined || args[0] === undefined) return before;
      ledger.record("file mode mask", () => void Reflect.apply(original, process, [before]));
      return before;
    };
    return umask;
  });
}
