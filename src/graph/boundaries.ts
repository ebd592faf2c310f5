/** Where a change stops on its way to the importers: at modules that accept it (`import.meta.hot`, `module.hot`). Pure. */
import type { ModuleGraph } from "./module-graph.js";
import type { ModuleNode } from "./module-node.js";

/** For a module that has read the changed file: the files at which the change stops before it; none when it does not. */
export type StoppedAt = (observer: string) => readonly string[];

/**
 * How far a change of `file` gets. A module may have read the file without naming it, through a function of another
 * module: the change then stops before it if all ways that lead from it to the file, over the imports in their texts,
 * pass one that is accepted. Each walk costs as much as there are importers above `file`, and is made only when needed.
 */
export function changeStops(graph: ModuleGraph, file: string): StoppedAt {
  let ways: Ways | undefined;
  return (observer) => {
    if (names(graph, observer, file)) return isAccepted(graph, observer, file) ? [file] : [];
    ways ??= waysTo(graph, file);
    return ways.open.has(observer) || !ways.closed.has(observer) ? [] : [...ways.boundaries];
  };
}

/** The declined file because of which a change that reaches `files` takes a fresh worker; undefined when there is none. */
export function declinedAmong(graph: ModuleGraph, files: ReadonlySet<string>): string | undefined {
  for (const { file, hot } of graph.hotNodes()) {
    if (!hot) continue;
    if (hot.declined && files.has(file)) return file;
    const dependency = hot.declinedDependencies.find((target) => files.has(target) && !graph.get(target)?.hot?.self);
    if (dependency !== undefined) return dependency;
  }
  return undefined;
}

interface Ways {
  /** Files with a way to the changed file on which nothing is accepted. */
  readonly open: ReadonlySet<string>;
  /** Files with a way on which something is. */
  readonly closed: ReadonlySet<string>;
  /** What is accepted on the closed ways, nearest to the change. */
  readonly boundaries: ReadonlySet<string>;
}

function waysTo(graph: ModuleGraph, file: string): Ways {
  const open = new Set([file]);
  const closed = new Set<string>();
  const boundaries = new Set<string>();
  // Sets are walked in insertion order, entries added on the way included.
  for (const target of open) {
    for (const importer of graph.importersOf(target)) {
      if (!isAccepted(graph, importer, target)) {
        open.add(importer);
        continue;
      }
      closed.add(importer);
      boundaries.add(target);
    }
  }
  for (const target of closed) for (const importer of graph.importersOf(target)) closed.add(importer);
  return { open, closed, boundaries };
}

function names(graph: ModuleGraph, user: string, file: string): boolean {
  return graph.importersOf(file).has(user) || graph.get(user)?.dynamic.has(file) === true;
}

/** Whether a change of `file` does not concern `user`, which names it. */
function isAccepted(graph: ModuleGraph, user: string, file: string): boolean {
  const changed = graph.get(file)?.hot;
  const importer = graph.get(user);
  if (changed?.self || importer?.hot?.dependencies.includes(file)) return true;
  return changed !== undefined && importer !== undefined && importsOnly(importer, file, changed.exports);
}

/** Whether all that `importer` takes from `file` are names among `accepted`. */
function importsOnly(importer: ModuleNode, file: string, accepted: readonly string[]): boolean {
  if (accepted.length === 0 || importer.stars.includes(file) || importer.dynamic.has(file)) return false;
  const links = importer.links.filter(({ target }) => target === file);
  return (
    links.length > 0 &&
    links.every(({ names, whole }) => whole !== true && names.every((name) => accepted.includes(name)))
  );
}
