import type { ModuleEdges } from "./module-edges.js";

/** What has to know when a piece of a module's evaluation begins and ends; pieces nest. */
export interface EvaluationWatch {
  /** `inner` begins; until now `outer` ran, if any did. */
  entering(inner: ModuleEdges, outer: ModuleEdges | undefined): void;
  leaving(inner: ModuleEdges): void;
  /** From here on what runs is not the doing of `inner`, which goes on afterwards: a package is being loaded. */
  suspending(inner: ModuleEdges): void;
  resuming(inner: ModuleEdges): void;
  /** The evaluation of a module goes on asynchronously. */
  waiting(edges: ModuleEdges): void;
  settled(edges: ModuleEdges): void;
}

/** All of them as one. */
export function together(watches: readonly EvaluationWatch[]): EvaluationWatch | undefined {
  if (watches.length < 2) return watches[0];
  return {
    entering: (inner, outer) => {
      for (const watch of watches) watch.entering(inner, outer);
    },
    leaving: (inner) => {
      for (const watch of watches) watch.leaving(inner);
    },
    suspending: (inner) => {
      for (const watch of watches) watch.suspending(inner);
    },
    resuming: (inner) => {
      for (const watch of watches) watch.resuming(inner);
    },
    waiting: (edges) => {
      for (const watch of watches) watch.waiting(edges);
    },
    settled: (edges) => {
      for (const watch of watches) watch.settled(edges);
    },
  };
}
