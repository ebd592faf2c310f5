/** Reads a snapshot file and says what keeps each watched object alive. Blocks its thread. */
import { closeSync, openSync, readSync } from "node:fs";
import type { HeapGraph } from "./heap-graph.js";
import { describePath, type Holder } from "./path-text.js";
import { RetainingPaths } from "./retaining-paths.js";
import { ScopeFiles } from "./scope-files.js";
import { SnapshotParser } from "./snapshot-parser.js";
import { watchedObjects } from "./watched-objects.js";

const CHUNK_BYTES = 1 << 20;

/** Marker -> the chain of holders; markers of what is not alive any more are absent. */
export function explainSnapshot(file: string, markers: ReadonlySet<string>): Map<string, Holder[]> {
  return explainGraph(readSnapshot(file), markers);
}

function explainGraph(graph: HeapGraph, markers: ReadonlySet<string>): Map<string, Holder[]> {
  const paths = new RetainingPaths(graph);
  /** Made when it is needed: also along V8's bookkeeping, which is a reference all the same. */
  let allPaths: RetainingPaths | undefined;
  const chains = new Map<string, Holder[]>();
  const watched = watchedObjects(graph, markers);
  const scopes = new ScopeFiles(graph);
  const watchedNodes = new Set(watched.values());
  for (const [marker, node] of watched) {
    let steps = paths.to(node);
    if (!steps) {
      allPaths ??= new RetainingPaths(graph, new Set());
      steps = allPaths.to(node);
    }
    if (steps) chains.set(marker, describePath(graph, steps, watchedNodes, scopes));
  }
  return chains;
}

function readSnapshot(file: string): HeapGraph {
  const parser = new SnapshotParser();
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const descriptor = openSync(file, "r");
  try {
    for (;;) {
      const length = readSync(descriptor, chunk);
      if (length === 0) return parser.end();
      parser.write(chunk.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
}
