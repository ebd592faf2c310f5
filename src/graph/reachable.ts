/** What the roots lead to, over different kinds of edges. */
import type { ModuleGraph, ModuleNode } from "./module-graph.js";

/** Files of the graph that can be reached from `roots` by any edge: static, `require()`, observed or dynamic. */
export function reachable(graph: ModuleGraph, roots: Iterable<string>): Set<string> {
  return reach(graph, roots, anyEdge);
}

/**
 * Files of the graph that a fresh start evaluates, as far as is known: roots, their static imports, and what was read or
 * required during evaluation. Files to which only late code leads are not in it.
 */
export function eagerlyReachable(graph: ModuleGraph, roots: Iterable<string>): Set<string> {
  return reach(graph, roots, eagerEdges);
}

/** Depth first and in source order, so that the set is in the order in which files are met. */
function reach(
  graph: ModuleGraph,
  roots: Iterable<string>,
  edgesOf: (node: ModuleNode) => readonly Iterable<string>[],
): Set<string> {
  const found = new Set<string>();
  const stack = [...roots].reverse();
  for (let file = stack.pop(); file !== undefined; file = stack.pop()) {
    if (found.has(file)) continue;
    const node = graph.get(file);
    if (!node) continue;
    found.add(file);
    const first = stack.length;
    for (const targets of edgesOf(node)) for (const target of targets) if (!found.has(target)) stack.push(target);
    reverseFrom(stack, first);
  }
  return found;
}

function anyEdge(node: ModuleNode): readonly Iterable<string>[] {
  return [node.imports, node.requires, node.observed, node.dynamic];
}

function eagerEdges(node: ModuleNode): readonly Iterable<string>[] {
  return [node.imports, node.observed];
}

/** What was pushed first must be popped first. */
function reverseFrom(stack: string[], first: number): void {
  for (let low = first, high = stack.length - 1; low < high; low++, high--) {
    const file = stack[low] as string;
    stack[low] = stack[high] as string;
    stack[high] = file;
  }
}
