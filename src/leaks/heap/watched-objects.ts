/** Finds the objects that the app thread watches in a snapshot of its heap. */
import { UnreloaderWatchedReference } from "../../common/protocol/watched-reference.js";
import type { HeapGraph } from "./heap-graph.js";

/** Marker -> the object's node, for those that are still there. */
export function watchedObjects(graph: HeapGraph, markers: ReadonlySet<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.nameOf(node) !== UnreloaderWatchedReference.name || graph.typeOf(node) !== "object") continue;
    const text = graph.follow(node, "marker");
    const reference = graph.follow(node, "target");
    if (text === undefined || reference === undefined) continue;
    const marker = graph.textOf(text);
    const target = graph.follow(reference, "target");
    if (target !== undefined && markers.has(marker)) found.set(marker, target);
  }
  return found;
}
