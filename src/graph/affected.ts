import type { ModuleGraph } from "./module-graph.js";
import { Why } from "./why.js";

export interface Affected {
  readonly files: ReadonlySet<string>;
  readonly why: Why;
}

/** The changed files and, transitively, every file that read one of them while it was evaluated. Shortest chains. */
export function affected(graph: ModuleGraph, changed: Iterable<string>): Affected {
  const next = new Map<string, string | undefined>();
  for (const file of changed) next.set(file, undefined);
  // A Map is walked in insertion order, entries added on the way included: it is the queue as well.
  for (const file of next.keys()) {
    for (const observer of graph.observersOf(file)) if (!next.has(observer)) next.set(observer, file);
  }
  return { files: new Set(next.keys()), why: new Why(next) };
}
