/**
 * Edges that nobody could observe and that people have recorded: `recordDependency` and `recordSplitClass`. They lead from
 * file to file, modules or not, and may form cycles. Pure.
 */

/** Each of `files` is to be loaded again when one of `dependencies` changes, and after it. */
export interface Dependency {
  readonly dependencies: Iterable<string>;
  readonly files: Iterable<string>;
}

/** A change of one of these is a change of all: `main` loads the parts again. */
export interface SplitClass {
  readonly main: string;
  readonly parts: Iterable<string>;
}

const NONE: ReadonlySet<string> = new Set();

export class RecordedEdges {
  /** File -> who is loaded again because of it. */
  readonly #dependents: ReadonlyMap<string, ReadonlySet<string>>;
  /** File -> what has to be loaded before it. */
  readonly #dependencies: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(dependencies: Iterable<Dependency> = [], splits: Iterable<SplitClass> = []) {
    const dependents = new Map<string, Set<string>>();
    const before = new Map<string, Set<string>>();
    for (const { dependencies: targets, files } of dependencies) {
      const sources = [...files];
      for (const target of targets) {
        for (const source of sources) {
          if (source === target) continue;
          add(dependents, target, source);
          add(before, source, target);
        }
      }
    }
    for (const { main, parts } of splits) {
      for (const part of parts) {
        if (part === main) continue;
        add(dependents, part, main);
        add(dependents, main, part);
      }
    }
    this.#dependents = dependents;
    this.#dependencies = before;
  }

  /** Whether a change of the file concerns anybody. */
  has(file: string): boolean {
    return this.#dependents.has(file);
  }

  /** Files that are loaded again when `file` changes; those of one step only. */
  dependentsOf(file: string): ReadonlySet<string> {
    return this.#dependents.get(file) ?? NONE;
  }

  /**
   * The same files, each behind those that it depends on, over any number of steps; where nothing was recorded the order
   * stays as it is. In a cycle the closing edge is dropped.
   */
  dependenciesFirst(order: readonly string[]): string[] {
    if (this.#dependencies.size === 0) return [...order];
    const wanted = new Map(order.map((file, rank) => [file, rank]));
    const sorted: string[] = [];
    const entered = new Set<string>();
    for (const root of order) {
      if (entered.has(root)) continue;
      entered.add(root);
      const stack = [{ file: root, rest: this.#inOrder(root, wanted) }];
      for (let visit = stack.at(-1); visit; visit = stack.at(-1)) {
        const next = visit.rest.pop();
        if (next === undefined) {
          stack.pop();
          if (wanted.has(visit.file)) sorted.push(visit.file);
        } else if (!entered.has(next)) {
          entered.add(next);
          stack.push({ file: next, rest: this.#inOrder(next, wanted) });
        }
      }
    }
    return sorted;
  }

  /** What the file depends on, last first, as far as the given ranks say. */
  #inOrder(file: string, ranks: ReadonlyMap<string, number>): string[] {
    const rank = (dependency: string): number => ranks.get(dependency) ?? -1;
    return [...(this.#dependencies.get(file) ?? [])].sort((a, b) => rank(b) - rank(a) || (a < b ? 1 : -1));
  }
}

export const NOTHING_RECORDED = new RecordedEdges();

function add(edges: Map<string, Set<string>>, from: string, to: string): void {
  const known = edges.get(from);
  if (known) known.add(to);
  else edges.set(from, new Set([to]));
}
