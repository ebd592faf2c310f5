/** Orders over the whole graph, filtered afterwards: sorting only a part loses the edges that lead through the rest. */

/** Where one file's edges lead, in source order: what is evaluated before its body, and what its body evaluates. */
export interface EvaluationEdges {
  readonly before: Iterable<string>;
  readonly within: Iterable<string>;
}

/**
 * Orders `files` so that each comes after every file it imports; purge in the reverse. In a cycle the closing edge is
 * dropped. `roots` are walked first, in the order given (in a cycle the start matters); other files go by path and
 * imports in source order, so equal graphs give equal orders. Linear in the edges walked.
 */
export function topologicalOrder(
  files: ReadonlySet<string>,
  importsOf: (file: string) => Iterable<string>,
  roots: Iterable<string> = [],
): string[] {
  return walk(files, (file) => ({ before: importsOf(file), within: [] }), roots);
}

/**
 * The order in which a fresh start would begin to evaluate `files`: ESM after its imports, but CommonJS before what it
 * requires, since it requires in the middle of its body. Whoever evaluates in this order, and loads on demand what a
 * body asks for, gives each `require()` the moment and the surroundings (globals set above it) that it has at a start.
 */
export function evaluationOrder(
  files: ReadonlySet<string>,
  edgesOf: (file: string) => EvaluationEdges,
  roots: Iterable<string>,
): string[] {
  return walk(files, edgesOf, roots);
}

interface Visit {
  readonly file: string;
  readonly before: Iterator<string>;
  readonly within: Iterator<string>;
  /** True once the file has been put in its place. */
  placed: boolean;
}

/** Depth first, with its own stack: chains of imports may be far deeper than the call stack. */
function walk(
  files: ReadonlySet<string>,
  edgesOf: (file: string) => EvaluationEdges,
  roots: Iterable<string>,
): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const stack: Visit[] = [];
  const enter = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const { before, within } = edgesOf(file);
    stack.push({ file, before: before[Symbol.iterator](), within: within[Symbol.iterator](), placed: false });
  };
  const run = (start: string): void => {
    enter(start);
    for (let visit = stack.at(-1); visit && order.length < files.size; visit = stack.at(-1)) {
      if (!visit.placed) {
        const next = visit.before.next();
        if (!next.done) {
          enter(next.value);
          continue;
        }
        visit.placed = true;
        if (files.has(visit.file)) order.push(visit.file);
      }
      const next = visit.within.next();
      if (next.done) stack.pop();
      else enter(next.value);
    }
  };
  for (const root of roots) run(root);
  if (order.length < files.size) for (const file of [...files].sort()) run(file);
  return order;
}
