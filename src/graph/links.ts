/** Finds imports of names that no longer exist, before anything of the running app is touched. */
import type { ModuleGraph } from "./module-graph.js";

export interface LinkProblem {
  readonly importer: string;
  readonly target: string;
  readonly name: string;
}

/**
 * Problems of the given files and of all files that import a name from them, over any number of `export *`. A target
 * that is not an ESM file of the graph is taken to have every name: what it has shows when it is evaluated.
 */
export function checkLinks(next: ModuleGraph, files: Iterable<string>): LinkProblem[] {
  const problems: LinkProblem[] = [];
  for (const importer of importersOver(next, files)) {
    for (const { target, names } of next.get(importer)?.links ?? []) {
      if (next.get(target)?.format !== "esm") continue;
      for (const name of names) if (!provides(next, target, name)) problems.push({ importer, target, name });
    }
  }
  return problems;
}

/** `files`, their importers, and the importers of those that pass the names of `files` on. */
function importersOver(graph: ModuleGraph, files: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const exporters = new Set(files);
  for (const exporter of exporters) {
    found.add(exporter);
    for (const importer of graph.importersOf(exporter)) {
      found.add(importer);
      if (graph.get(importer)?.stars.includes(exporter)) exporters.add(importer);
    }
  }
  return found;
}

/**
 * Whether `target` exports `name`, itself or by `export *` (which never passes `default` on). A name that several stars
 * provide counts as provided: whether that is ambiguous depends on the binding, which a name alone does not tell
 * (the same binding may come over two ways), and to refuse a valid save would be worse than to let the worker find out.
 */
function provides(graph: ModuleGraph, target: string, name: string): boolean {
  const seen = new Set([target]);
  for (const file of seen) {
    const node = graph.get(file);
    if (node?.format !== "esm" || node.exports.includes(name)) return true;
    if (name === "default") return false;
    if (node.opaqueStars) return true;
    for (const star of node.stars) seen.add(star);
  }
  return false;
}
