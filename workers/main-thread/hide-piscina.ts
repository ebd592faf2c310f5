/** The pool that has started this thread says by its own module what it is: an app that uses the same copy must not see it. */
import { createRequire } from "node:module";

interface CommonState {
  isWorkerThread: boolean;
  workerData: unknown;
}

const COMMON = /[\\/]piscina[\\/]dist[\\/]common\.js$/;

export function hidePiscina(): void {
  const { cache } = createRequire(import.meta.url);
  const file = Object.keys(cache).find((name) => COMMON.test(name));
  const exports = file === undefined ? undefined : (cache[file]?.exports as { commonState?: CommonState } | undefined);
  if (!exports?.commonState) return;
  const { commonState } = exports;
  commonState.isWorkerThread = false;
  commonState.workerData = undefined;
}
