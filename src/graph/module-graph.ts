/** Snapshots of what is known about the app's own files: what each imports, and what it used while it was evaluated. */
import type { ModuleFormat } from "../compile/compiled-module.js";
import { type EdgeChange, ReverseEdges } from "./reverse-edges.js";

export { reachable } from "./reachable.js";

export interface ModuleNode {
  /** Absolute path. */
  readonly file: string;
  readonly hash: string;
  readonly format: ModuleFormat;
  /** Own files of static imports (ESM), in source order. */
  readonly imports: readonly string[];
  /** Own files of literal `require()` calls, in source order; some may only run late. */
  readonly requires: readonly string[];
  /** Names that must exist in own ESM targets. */
  readonly links: readonly { readonly target: string; readonly names: readonly string[] }[];
  /** Names that the file itself exports, `export *` not expanded. */
  readonly exports: readonly string[];
  /** Own files of `export *`. */
  readonly stars: readonly string[];
  /** An `export *` leads outside the own ESM files (a package, CommonJS): any name may exist. */
  readonly opaqueStars: boolean;
  /** Own files read while this file was evaluated, as the worker reported them. */
  readonly observed: ReadonlySet<string>;
  /** Own files that `require()` or `import()` loaded late, or by a computed specifier. */
  readonly dynamic: ReadonlySet<string>;
  readonly evaluated: boolean;
}

/** With more changes than this share of the graph, its reverse edges are made anew when they are asked for. */
const DERIVE_UP_TO = 1 / 4;

/** An immutable snapshot. Making the next one shares all that did not change. */
export class ModuleGraph {
  readonly #nodes: ReadonlyMap<string, ModuleNode>;
  /** Number of files that have been evaluated. */
  readonly evaluatedCount: number;
  /** Each is made at the first question, and from then on carried from snapshot to snapshot. */
  #observers: ReverseEdges | undefined;
  #importers: ReverseEdges | undefined;

  constructor(nodes: ReadonlyMap<string, ModuleNode> = new Map(), evaluatedCount = countEvaluated(nodes.values())) {
    this.#nodes = nodes;
    this.evaluatedCount = evaluatedCount;
  }

  static of(nodes: Iterable<ModuleNode>): ModuleGraph {
    return new ModuleGraph().with(nodes);
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(file: string): ModuleNode | undefined {
    return this.#nodes.get(file);
  }

  has(file: string): boolean {
    return this.#nodes.has(file);
  }

  nodes(): Iterable<ModuleNode> {
    return this.#nodes.values();
  }

  files(): Iterable<string> {
    return this.#nodes.keys();
  }

  /** Files that read `file` while they were evaluated. */
  observersOf(file: string): ReadonlySet<string> {
    this.#observers ??= ReverseEdges.from(edgesOf(this.#nodes, observedTargets));
    return this.#observers.get(file);
  }

  /** Files whose text names `file` in a static import or a literal `require()`. */
  importersOf(file: string): ReadonlySet<string> {
    this.#importers ??= ReverseEdges.from(edgesOf(this.#nodes, namedTargets));
    return this.#importers.get(file);
  }

  /** The next snapshot: `removed` taken out first, then `changes` put in or replaced. */
  with(changes: Iterable<ModuleNode>, removed: Iterable<string> = []): ModuleGraph {
    const nodes = new Map(this.#nodes);
    const before = new Map<string, ModuleNode | undefined>();
    for (const file of removed) if (nodes.delete(file)) before.set(file, this.#nodes.get(file));
    for (const node of changes) {
      nodes.set(node.file, node);
      before.set(node.file, this.#nodes.get(node.file));
    }
    if (before.size === 0) return this;
    let evaluated = this.evaluatedCount;
    for (const [file, old] of before)
      evaluated += Number(nodes.get(file)?.evaluated ?? false) - Number(old?.evaluated ?? false);
    const next = new ModuleGraph(nodes, evaluated);
    if (before.size <= this.size * DERIVE_UP_TO) {
      next.#observers = this.#observers?.with(edgeChanges(before, nodes, observedTargets));
      next.#importers = this.#importers?.with(edgeChanges(before, nodes, namedTargets));
    }
    return next;
  }
}

type TargetsOf = (node: ModuleNode) => Iterable<string>;

function observedTargets(node: ModuleNode): Iterable<string> {
  return node.observed;
}

function namedTargets(node: ModuleNode): Iterable<string> {
  return node.requires.length === 0 ? node.imports : [...node.imports, ...node.requires];
}

function* edgesOf(
  nodes: ReadonlyMap<string, ModuleNode>,
  targetsOf: TargetsOf,
): Iterable<readonly [string, Iterable<string>]> {
  for (const [file, node] of nodes) yield [file, targetsOf(node)];
}

function* edgeChanges(
  before: ReadonlyMap<string, ModuleNode | undefined>,
  nodes: ReadonlyMap<string, ModuleNode>,
  targetsOf: TargetsOf,
): Iterable<EdgeChange> {
  for (const [source, old] of before) {
    const node = nodes.get(source);
    yield { source, before: old ? targetsOf(old) : [], after: node ? targetsOf(node) : [] };
  }
}

function countEvaluated(nodes: Iterable<ModuleNode>): number {
  let count = 0;
  for (const node of nodes) if (node.evaluated) count++;
  return count;
}
