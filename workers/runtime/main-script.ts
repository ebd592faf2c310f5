/**
 * Runs an entry that is CommonJS as Node runs the main script of a process: nothing else is under way, so that what it
 * leaves to `process.nextTick()` comes before its promises, and `executionAsyncId()` is 1 in it.
 */
import { AsyncResource } from "node:async_hooks";

/** Of the bootstrap of a process. */
const MAIN_SCRIPT = { async_id_symbol: 1, trigger_async_id_symbol: 0 };
/** Node's own, whatever the app puts in its place. */
const { nextTick } = process;

/**
 * Its frame is the last one that a stack shows of an entry. `threw` is called before any tick or promise of the entry, with
 * what it throws: Node ends the process there.
 */
export function runAsMainScript<Result>(run: () => Result, threw: (error: unknown) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    nextTick(() => {
      try {
        resolve(mainContext().runInAsyncScope(run));
      } catch (error) {
        reject(error);
        threw(error);
      }
    });
  });
}

function mainContext(): AsyncResource {
  const context = new AsyncResource("unreloader.main", { requireManualDestroy: true });
  for (const symbol of Object.getOwnPropertySymbols(context)) {
    const id = MAIN_SCRIPT[symbol.description as keyof typeof MAIN_SCRIPT];
    if (id !== undefined) Reflect.set(context, symbol, id);
  }
  return context;
}
