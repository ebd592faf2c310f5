/** Our own modules and those of the pool that has started this thread, which an app could come across. */
import { createRequire } from "node:module";

interface CommonState {
  isWorkerThread: boolean;
  workerData: unknown;
}

const COMMON = /[\\/]piscina[\\/]dist[\\/]common\.js$/;

/** What this thread has required so far is ours; `Object.keys(require.cache)` of the app has nothing of it. */
export function hideOwnModules(): void {
  hide(() => true);
}

/** The same, for what `load` requires. */
export function loadHidden<Loaded>(load: () => Loaded): Loaded {
  const before = new Set(Object.keys(createRequire(import.meta.url).cache));
  try {
    return load();
  } finally {
    hide((file) => !before.has(file));
  }
}

function hide(isOwn: (file: string) => boolean): void {
  const { cache } = createRequire(import.meta.url);
  for (const file of Object.keys(cache)) if (isOwn(file)) Object.defineProperty(cache, file, { enumerable: false });
}

/** The pool says by its own module what the thread is: an app that uses the same copy must not see it. */
export function hidePiscina(): void {
  const { cache } = createRequire(import.meta.url);
  const file = Object.keys(cache).find((name) => COMMON.test(name));
  const exports = file === undefined ? undefined : (cache[file]?.exports as { commonState?: CommonState } | undefined);
  if (!exports?.commonState) return;
  const { commonState } = exports;
  commonState.isWorkerThread = false;
  commonState.workerData = undefined;
}
