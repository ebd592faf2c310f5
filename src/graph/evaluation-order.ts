/** What a fresh start evaluates, and in which order: computed once for a snapshot, then asked often. */
import type { ModuleNode } from "./module-node.js";
import { type EvaluationEdges, walk } from "./walk.js";

/** The part of a snapshot that is needed here. */
export interface NodeSource {
  get(file: string): ModuleNode | undefined;
  files(): Iterable<string>;
}

export class EvaluationOrder {
  readonly roots: readonly string[];
  readonly #begun: Ranking;
  readonly #ended: Ranking;
  /** Files that a start evaluates, as far as is known, in the order in which their bodies begin. */
  readonly eager: ReadonlySet<string>;

  constructor(graph: NodeSource, roots: readonly string[]) {
    this.roots = roots;
    const starts = roots.filter((file) => graph.get(file) !== undefined);
    const edgesOf = (file: string): EvaluationEdges => evaluationEdges(graph, file);
    const atStart = walk(starts, edgesOf);
    this.eager = new Set(atStart.begun);
    const late = [...graph.files()].filter((file) => !this.eager.has(file)).sort();
    // Files that only late code reaches come last.
    const all = late.length === 0 ? atStart : walk([...starts, ...late], edgesOf);
    this.#begun = new Ranking(all.begun);
    this.#ended = new Ranking(all.ended);
  }

  /**
   * The order in which a fresh start begins to evaluate `files`: ESM after its imports, but CommonJS before what it
   * requires, since it requires in the middle of its body. An evaluation in this order, which loads on demand what a
   * body asks for, gives each `require()` the moment and the surroundings (globals set above it) that it has at a start.
   */
  toLoad(files: Iterable<string>): string[] {
    return this.#begun.sort(files);
  }

  /** Each file before all that it imports, requires or reads while it is evaluated. */
  toPurge(files: Iterable<string>): string[] {
    return this.#ended.sort(files).reverse();
  }

  /** When the body of a file begins: a number to be compared with those of others. */
  beginsAt(file: string): number {
    return this.#begun.rankOf(file);
  }

  /** When it ends. */
  endsAt(file: string): number {
    return this.#ended.rankOf(file);
  }
}

class Ranking {
  readonly #files: readonly string[];
  /** Key: file; value: its index in `#files`. */
  readonly #ranks: ReadonlyMap<string, number>;

  constructor(files: readonly string[]) {
    this.#files = files;
    this.#ranks = new Map(files.map((file, rank) => [file, rank]));
  }

  /** -1 when it is not ranked. */
  rankOf(file: string): number {
    return this.#ranks.get(file) ?? -1;
  }

  /** Files that are not ranked are left out. */
  sort(files: Iterable<string>): string[] {
    const ranks: number[] = [];
    for (const file of files) {
      const rank = this.#ranks.get(file);
      if (rank !== undefined) ranks.push(rank);
    }
    return [...Int32Array.from(ranks).sort()].map((rank) => this.#files[rank] as string);
  }
}

/** Whether two versions of a file stand in the same place of the order. */
export function sameEvaluationEdges(a: ModuleNode, b: ModuleNode): boolean {
  return (
    a.format === b.format &&
    sameList(a.imports, b.imports) &&
    sameList(a.requires, b.requires) &&
    sameList(a.observed, b.observed) &&
    sameList(a.dynamic, b.dynamic) &&
    sameList(a.monitored ?? [], b.monitored ?? [])
  );
}

/**
 * Late `require()`s are left out: they say nothing about the order of evaluation, and would close cycles that are none.
 */
function evaluationEdges(graph: NodeSource, file: string): EvaluationEdges {
  const node = graph.get(file);
  if (!node) return { before: [], within: [] };
  const { imports, requires, observed, dynamic, monitored = [] } = node;
  const isKnown = (target: string): boolean => graph.get(target) !== undefined;
  const required = requires.filter((target) => observed.has(target));
  if (node.format === "commonjs")
    return { before: [], within: [...required, ...observed, ...monitored].filter(isKnown) };
  if (observed.size === 0) return { before: imports.filter(isKnown), within: monitored.filter(isKnown) };
  const byBody = new Set([...required, ...[...dynamic].filter((target) => observed.has(target)), ...monitored]);
  return {
    before: [...imports, ...[...observed].filter((target) => !byBody.has(target))].filter(isKnown),
    within: [...byBody].filter(isKnown),
  };
}

function sameList(a: Iterable<string>, b: Iterable<string>): boolean {
  if (a === b) return true;
  const others = b[Symbol.iterator]();
  for (const item of a) if (others.next().value !== item) return false;
  return others.next().done === true;
}
