/** The order of a start, over a whole graph: sorting only a part would lose the edges that lead through the rest. */

/** Where one file's edges lead, in source order: what is evaluated before its body, and what its body evaluates. */
export interface EvaluationEdges {
  readonly before: Iterable<string>;
  readonly within: Iterable<string>;
}

export interface Walk {
  /**
   * In the order in which bodies begin; but the files of a cycle stand together, where the body of the first that is
   * entered begins, and in the order in which they are entered: an evaluation of a part of the cycle, in this order
   * and each with what it imports, goes through it as a start does.
   */
  readonly begun: readonly string[];
  /** In the order in which they end: each file after all to which its edges lead. */
  readonly ended: readonly string[];
}

interface Visit {
  readonly file: string;
  readonly before: Iterator<string>;
  readonly within: Iterator<string>;
  begun: boolean;
  /** How many files were entered earlier. */
  readonly index: number;
  /** How many files were open when this one was entered. */
  readonly depth: number;
  /** The lowest index to which its `before` edges lead, over any number of them: its own, when it ends no cycle. */
  lowest: number;
}

/**
 * Goes through a start as Node would: depth first from `roots` in their order, each file once. In a cycle the edge that
 * closes it is dropped. With a stack of its own, because chains of imports may be deeper than the call stack. Cycles
 * (of `before` edges: what a body evaluates begins after it in any case) are found on the way, as by Tarjan.
 */
export function walk(roots: Iterable<string>, edgesOf: (file: string) => EvaluationEdges): Walk {
  const begun: string[] = [];
  const ended: string[] = [];
  /** File -> its index. */
  const entered = new Map<string, number>();
  /** Files that may be part of a cycle with one that has not begun; as entered. */
  const open: string[] = [];
  const closed = new Set<string>();
  const stack: Visit[] = [];
  const enter = (file: string): void => {
    const { before, within } = edgesOf(file);
    const index = entered.size;
    const iterators = { before: before[Symbol.iterator](), within: within[Symbol.iterator]() };
    stack.push({ file, ...iterators, begun: false, index, depth: open.length, lowest: index });
    entered.set(file, index);
    open.push(file);
  };
  const begin = (visit: Visit, importer: Visit | undefined): void => {
    visit.begun = true;
    if (importer?.begun === false) importer.lowest = Math.min(importer.lowest, visit.lowest);
    if (visit.lowest < visit.index) return;
    for (const file of open.splice(visit.depth)) {
      begun.push(file);
      closed.add(file);
    }
  };
  for (const root of roots) {
    if (!entered.has(root)) enter(root);
    for (let visit = stack.at(-1); visit; visit = stack.at(-1)) {
      const step = visit.begun ? visit.within.next() : visit.before.next();
      if (!step.done) {
        const index = entered.get(step.value);
        if (index === undefined) enter(step.value);
        else if (!visit.begun && !closed.has(step.value)) visit.lowest = Math.min(visit.lowest, index);
      } else if (visit.begun) {
        ended.push(visit.file);
        stack.pop();
      } else {
        begin(visit, stack.at(-2));
      }
    }
  }
  return { begun, ended };
}
