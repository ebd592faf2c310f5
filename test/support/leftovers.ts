/** What keeps this process alive: threads, sockets, timers, watchers, as Node counts them. */
import { eventually } from "./deadline.js";

/** Resources that live now; `check` at the end says which came since. */
export function watchLeftovers(): { check(): Promise<void> } {
  const before = countResources();
  return {
    /** Resolves once no kind of resource is more numerous than before; what is closing gets the time to close. */
    async check() {
      const grown = () =>
        [...countResources()]
          .filter(([kind, count]) => count > (before.get(kind) ?? 0))
          .map(([kind, count]) => `${count - (before.get(kind) ?? 0)} ${kind}`);
      await eventually(
        async () => grown(),
        (kinds) => kinds.length === 0,
        "threads, sockets and timers to be gone",
      );
    },
  };
}

/** Immediates and the deadline's own timer come and go with the waiting itself. */
const IGNORED = new Set(["Immediate"]);

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (!IGNORED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
