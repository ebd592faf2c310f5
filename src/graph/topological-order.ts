/** Orders over a whole graph, filtered afterwards: sorting only a part loses the edges that lead through the rest. */

/** Where one file's edges lead, in source order: what is evaluated before its body, and what its body evaluates. */
export interface EvaluationEdges {
  readonly before: Iterable<string>;
  readonly within: Iterable<string>;
}

export interface Walk {
  /** In the order in which bodies begin. */
  readonly begun: readonly string[];
  /** In the order in which they end: each file after all to which its edges lead. */
  readonly ended: readonly string[];
}

/**
 * Orders `files` so that each comes after every file it imports; purge in the reverse. In a cycle the closing edge is
 * dropped. Roots go by path and imports in source order, so equal graphs give equal orders. Edges through files outside
 * of `files` count as well. Linear.
 */
export function topologicalOrder(files: ReadonlySet<string>, importsOf: (file: string) => Iterable<string>): string[] {
  const { ended } = walk([...files].sort(), (file) => ({ before: importsOf(file), within: [] }));
  return ended.filter((file) => files.has(file));
}

interface Visit {
  readonly file: string;
  readonly before: Iterator<string>;
  readonly within: Iterator<string>;
  begun: boolean;
}

/**
 * Goes through a start as Node would: depth first from `roots` in their order, each file once. In a cycle the edge that
 * closes it is dropped. With a stack of its own, because chains of imports may be deeper than the call stack.
 */
export function walk(roots: Iterable<string>, edgesOf: (file: string) => EvaluationEdges): Walk {
  const begun: string[] = [];
  const ended: string[] = [];
  const seen = new Set<string>();
  const stack: Visit[] = [];
  const enter = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const { before, within } = edgesOf(file);
    stack.push({ file, before: before[Symbol.iterator](), within: within[Symbol.iterator](), begun: false });
  };
  for (const root of roots) {
    enter(root);
    for (let visit = stack.at(-1); visit; visit = stack.at(-1)) {
      const step = visit.begun ? visit.within.next() : visit.before.next();
      if (!step.done) {
        enter(step.value);
      } else if (visit.begun) {
        ended.push(visit.file);
        stack.pop();
      } else {
        visit.begun = true;
        begun.push(visit.file);
      }
    }
  }
  return { begun, ended };
}
