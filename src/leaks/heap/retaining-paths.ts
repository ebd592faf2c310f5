/** The shortest way from the roots to every object, along references that keep their target alive. */
import type { HeapGraph } from "./heap-graph.js";

/** One step of a way: `node` is what `edge` leads to. */
export interface PathStep {
  readonly edge: number;
  readonly node: number;
}

/** An entry of a WeakMap: its edge leads from the key, and once more from the table. */
const WEAK_MAP_ENTRY = / \/ part of key .* -> value .* pair in WeakMap \(table @(\d+)\)$/;

/** V8's own bookkeeping of functions, shapes and WeakRefs: references, but never what somebody could change. */
const BOOKKEEPING: ReadonlySet<string> = new Set([
  "map",
  "shared",
  "code",
  "feedback_cell",
  "dependent_code",
  "weak_refs_keep_during_job",
]);

export class RetainingPaths {
  readonly #graph: HeapGraph;
  /** Node -> edge that led to it first; UNREACHED, or ROOT. */
  readonly #via: Int32Array;
  readonly #from: Int32Array;

  /** `skipped`: edges that do not count besides those that are weak. */
  constructor(graph: HeapGraph, skipped: ReadonlySet<string> = BOOKKEEPING) {
    this.#graph = graph;
    this.#via = new Int32Array(graph.nodeCount).fill(UNREACHED);
    this.#from = new Int32Array(graph.nodeCount);
    this.#walk(skipped);
  }

  /** From the root's first reference to `node`; undefined when nothing keeps it alive. */
  to(node: number): PathStep[] | undefined {
    const steps: PathStep[] = [];
    for (let at = node; at !== 0; at = this.#from[at] ?? 0) {
      const edge = this.#via[at] ?? UNREACHED;
      if (edge === UNREACHED) return undefined;
      steps.push({ edge, node: at });
    }
    return steps.reverse();
  }

  #walk(skipped: ReadonlySet<string>): void {
    const graph = this.#graph;
    const queue = new Uint32Array(graph.nodeCount);
    let end = 1;
    this.#via[0] = ROOT;
    for (let head = 0; head < end; head++) {
      const node = queue[head] ?? 0;
      for (let edge = graph.edgesBegin(node); edge < graph.edgesEnd(node); edge++) {
        const target = graph.edgeTarget(edge);
        if (this.#via[target] !== UNREACHED || !this.#keeps(node, edge, skipped)) continue;
        this.#via[target] = edge;
        this.#from[target] = node;
        queue[end++] = target;
      }
    }
  }

  #keeps(node: number, edge: number, skipped: ReadonlySet<string>): boolean {
    const type = this.#graph.edgeType(edge);
    if (type === "weak") return false;
    if (type !== "internal") return true;
    const name = this.#graph.edgeName(edge);
    if (skipped.has(name)) return false;
    // The table alone does not keep the value: the key must be alive too.
    const table = WEAK_MAP_ENTRY.exec(name)?.[1];
    return table === undefined || Number(table) !== this.#graph.idOf(node);
  }
}

const UNREACHED = -1;
const ROOT = -2;
