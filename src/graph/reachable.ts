/** What the roots lead to, over different kinds of edges. */
import type { ModuleGraph } from "./module-graph.js";
import type { ModuleNode } from "./module-node.js";

/** Files of the graph that can be reached from `roots` by any edge: static, `require()`, observed, or these dynamic ones. */
export function reachable(
  graph: ModuleGraph,
  roots: Iterable<string>,
  dynamicOf: (node: ModuleNode) => Iterable<string> = ({ dynamic }) => dynamic,
): Set<string> {
  const found = new Set<string>();
  const stack = [...roots];
  for (let file = stack.pop(); file !== undefined; file = stack.pop()) {
    const node = found.has(file) ? undefined : graph.get(file);
    if (!node) continue;
    found.add(file);
    for (const targets of [node.imports, node.requires, node.observed, dynamicOf(node), node.monitored ?? []]) {
      for (const target of targets) if (!found.has(target)) stack.push(target);
    }
  }
  return found;
}

/**
 * Files of the graph that a fresh start evaluates, as far as is known, in the order in which their bodies begin: roots,
 * their static imports, and what was read or required during evaluation. Not those to which only late code leads.
 */
export function eagerlyReachable(graph: ModuleGraph, roots: readonly string[]): ReadonlySet<string> {
  return graph.evaluationOrder(roots).eager;
}
