/** What runs, as one word that is the same on every machine that runs the same. */
import { createHash } from "node:crypto";
import path from "node:path";
import type { ModuleGraph } from "../graph/module-graph.js";

export interface RunningContent {
  readonly root: string;
  readonly graph: ModuleGraph;
  /** Files that a start evaluates. */
  readonly roots: readonly string[];
  /** Files that a module has read while it was evaluated. */
  readsOf(module: string): Iterable<string>;
  /** Hash of a file that is no module, as it was last seen; undefined: not known. */
  contentOf(file: string): string | undefined;
}

const LENGTH = 16;

/**
 * Of all own files to which the source leads, loaded yet or not, and of what their evaluation has read. What only a request
 * has led to does not count: of two machines with the same files, one may have had it.
 */
export function contentHash({ root, graph, roots, readsOf, contentOf }: RunningContent): string {
  const content = new Map<string, string>();
  const stack = [...roots];
  for (let file = stack.pop(); file !== undefined; file = stack.pop()) {
    const node = content.has(file) ? undefined : graph.get(file);
    if (!node) continue;
    content.set(file, node.hash);
    stack.push(...node.imports, ...node.requires);
  }
  for (const module of [...content.keys()])
    for (const file of readsOf(module)) {
      const seen = content.has(file) || !isBelow(file, root) ? undefined : contentOf(file);
      if (seen !== undefined) content.set(file, seen);
    }
  const hash = createHash("sha256");
  const lines = [...content].map(([file, seen]) => `${path.relative(root, file).split(path.sep).join("/")}\0${seen}\n`);
  for (const line of lines.sort()) hash.update(line);
  return hash.digest("hex").slice(0, LENGTH);
}

function isBelow(file: string, root: string): boolean {
  const relative = path.relative(root, file);
  return !relative.startsWith("..") && !relative.split(path.sep).includes("node_modules");
}
