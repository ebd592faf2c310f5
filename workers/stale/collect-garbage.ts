/** One full garbage collection, from a turn of its own, so that nothing on the stack and no new WeakRef pins anything. */
import v8 from "node:v8";
import vm from "node:vm";

type Collect = (options: { type: "major"; execution: "async" }) => Promise<void>;

/** Made at the first call: a context costs half a megabyte. */
export function garbageCollector(): () => Promise<void> {
  let collect: Collect | undefined;
  return async () => {
    collect ??= createCollect();
    // A WeakRef keeps its target until the turn in which it was made, or read, is over.
    await turn();
    await collect({ type: "major", execution: "async" });
    await turn();
  };
}

/** Contexts that the app makes get no `gc` by it: the flag counts only for the one that is made here. */
function createCollect(): Collect {
  if (globalThis.gc) return globalThis.gc as unknown as Collect;
  v8.setFlagsFromString("--expose-gc");
  try {
    return vm.runInNewContext("gc") as Collect;
  } finally {
    v8.setFlagsFromString("--no-expose-gc");
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
