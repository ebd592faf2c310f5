/** Snapshots of what is known about the app's own files. */
import { EvaluationOrder, sameEvaluationEdges } from "./evaluation-order.js";
import { LayeredMap } from "./layered-map.js";
import type { ModuleNode } from "./module-node.js";
import { type EdgeChange, ReverseEdges } from "./reverse-edges.js";

/** With more changes than this share of the graph, what can be derived is derived again when it is asked for. */
const DERIVE_UP_TO = 1 / 4;

/** An immutable snapshot. Making the next one costs what changes (20 µs for one file of 2000). */
export class ModuleGraph {
  readonly #nodes: LayeredMap<ModuleNode>;
  /** Number of files that have been evaluated. */
  readonly evaluatedCount: number;
  /** Number of files that accept or decline something. */
  readonly #hotCount: number;
  /** Number of files that load others by `unreloader.require()` and the like. */
  readonly #monitoringCount: number;
  /** Each of these is made at the first question, and from then on carried from snapshot to snapshot. */
  #observers: ReverseEdges | undefined;
  #importers: ReverseEdges | undefined;
  #writers: ReverseEdges | undefined;
  #sharers: ReverseEdges | undefined;
  #order: EvaluationOrder | undefined;

  /** Without arguments: the empty graph. */
  constructor(nodes: LayeredMap<ModuleNode> = new LayeredMap(), evaluatedCount = 0, hotCount = 0, monitoringCount = 0) {
    this.#nodes = nodes;
    this.evaluatedCount = evaluatedCount;
    this.#hotCount = hotCount;
    this.#monitoringCount = monitoringCount;
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

  /** Files that accept or decline something. Costs nothing when there are none. */
  hotNodes(): ModuleNode[] {
    return this.#hotCount === 0 ? [] : [...this.nodes()].filter((node) => node.hot !== undefined);
  }

  /** Whether any file accepts or declines something. */
  get hasHotNodes(): boolean {
    return this.#hotCount > 0;
  }

  /** Files that load others by `unreloader.require()` and the like. Costs nothing when there are none. */
  monitoringNodes(): ModuleNode[] {
    return this.#monitoringCount === 0 ? [] : [...this.nodes()].filter((node) => node.monitored !== undefined);
  }

  /** The nodes that are not as in `earlier`; those that are gone are not among them. */
  replacedSince(earlier: ModuleGraph): ModuleNode[] {
    const replaced: ModuleNode[] = [];
    for (const file of this.#nodes.keysChangedSince(earlier.#nodes)) {
      const node = this.get(file);
      if (node) replaced.push(node);
    }
    return replaced;
  }

  /** Files that read `file`, or a global that it has set, while they were evaluated. */
  observersOf(file: string): ReadonlySet<string> {
    this.#observers ??= ReverseEdges.from(edgesOf(this.#nodes.values(), observedTargets));
    return this.#observers.get(file);
  }

  /** Files whose text names `file` in a static import or a literal `require()`. */
  importersOf(file: string): ReadonlySet<string> {
    this.#importers ??= ReverseEdges.from(edgesOf(this.#nodes.values(), namedTargets));
    return this.#importers.get(file);
  }

  /** Files that `file` has written to while it was evaluated, and those that have written to it. */
  writtenTogether(file: string): readonly string[] {
    this.#writers ??= ReverseEdges.from(edgesOf(this.#nodes.values(), writtenTargets));
    return [...writtenTargets(this.get(file)), ...this.#writers.get(file)];
  }

  /** Files that have set what is called so, or added something to it. */
  sharersOf(name: string): ReadonlySet<string> {
    this.#sharers ??= ReverseEdges.from(edgesOf(this.#nodes.values(), sharedTargets));
    return this.#sharers.get(name);
  }

  /** What a start at `roots` evaluates, and in which order. */
  evaluationOrder(roots: readonly string[]): EvaluationOrder {
    const known = this.#order?.roots;
    const same = known?.length === roots.length && roots.every((root, index) => root === known[index]);
    if (!this.#order || !same) this.#order = new EvaluationOrder(this, roots);
    return this.#order;
  }

  /** Makes everything that is made at the first question now: snapshots derived after this carry it. */
  warmUp(roots: readonly string[]): void {
    this.observersOf("");
    this.importersOf("");
    this.writtenTogether("");
    this.sharersOf("");
    this.evaluationOrder(roots);
  }

  /** The next snapshot: `removed` taken out first, then `changes` put in or replaced. */
  with(changes: Iterable<ModuleNode>, removed: Iterable<string> = []): ModuleGraph {
    const replaced = new Map<string, ModuleNode | undefined>();
    for (const file of removed) if (this.has(file)) replaced.set(file, undefined);
    for (const node of changes) replaced.set(node.file, node);
    if (replaced.size === 0) return this;
    const evaluated = this.evaluatedCount + this.#moreBy(replaced, (node) => node?.evaluated === true);
    const hot = this.#hotCount + this.#moreBy(replaced, (node) => node?.hot !== undefined);
    const monitoring = this.#monitoringCount + this.#moreBy(replaced, (node) => node?.monitored !== undefined);
    const next = new ModuleGraph(this.#nodes.with(replaced), evaluated, hot, monitoring);
    if (replaced.size > this.size * DERIVE_UP_TO) return next;
    next.#observers = this.#observers?.with(this.#edgeChanges(replaced, observedTargets));
    next.#importers = this.#importers?.with(this.#edgeChanges(replaced, namedTargets));
    next.#writers = this.#writers?.with(this.#edgeChanges(replaced, writtenTargets));
    next.#sharers = this.#sharers?.with(this.#edgeChanges(replaced, sharedTargets));
    if (this.#keepsOrder(replaced)) next.#order = this.#order;
    return next;
  }

  /** By how many the files with a property become more. */
  #moreBy(
    replaced: ReadonlyMap<string, ModuleNode | undefined>,
    has: (node: ModuleNode | undefined) => boolean,
  ): number {
    let more = 0;
    for (const [file, node] of replaced) more += Number(has(node)) - Number(has(this.get(file)));
    return more;
  }

  *#edgeChanges(replaced: ReadonlyMap<string, ModuleNode | undefined>, targetsOf: TargetsOf): Iterable<EdgeChange> {
    for (const [source, node] of replaced) {
      const old = this.get(source);
      yield { source, before: old ? targetsOf(old) : [], after: node ? targetsOf(node) : [] };
    }
  }

  #keepsOrder(replaced: ReadonlyMap<string, ModuleNode | undefined>): boolean {
    for (const [file, node] of replaced) {
      const old = this.get(file);
      if (!old || !node || !sameEvaluationEdges(old, node)) return false;
    }
    return true;
  }
}

type TargetsOf = (node: ModuleNode) => Iterable<string>;

function observedTargets({ observed, globals }: ModuleNode): Iterable<string> {
  return globals ? new Set([...observed, ...globals]) : observed;
}

function writtenTargets(node: ModuleNode | undefined): Iterable<string> {
  return node?.written ?? [];
}

function sharedTargets({ sets, registers }: ModuleNode): Iterable<string> {
  return sets || registers ? [...(sets ?? []), ...(registers ?? [])] : [];
}

function namedTargets(node: ModuleNode): Iterable<string> {
  return node.requires.length === 0 ? node.imports : [...node.imports, ...node.requires];
}

function* edgesOf(
  nodes: Iterable<ModuleNode>,
  targetsOf: TargetsOf,
): Iterable<readonly [source: string, targets: Iterable<string>]> {
  for (const node of nodes) yield [node.file, targetsOf(node)];
}
