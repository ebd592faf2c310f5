/** Decides what a change reloads. Pure: graphs in, an immutable plan out. */
import { affected } from "./affected.js";
import type { ModuleGraph, ModuleNode } from "./module-graph.js";
import { reach } from "./reachable.js";
import { type EvaluationEdges, evaluationOrder, topologicalOrder } from "./topological-order.js";
import type { Why } from "./why.js";

export { eagerlyReachable } from "./reachable.js";

export interface PlanInput {
  /** What the worker runs. */
  readonly graph: ModuleGraph;
  /** What it shall run: changed files with their new edges, deleted files gone. */
  readonly next: ModuleGraph;
  /** Files whose text is new: saved or added. */
  readonly changed: Iterable<string>;
  readonly deleted: Iterable<string>;
  /** What a fresh start evaluates, in this order. */
  readonly roots: readonly string[];
  readonly scope: "affected" | "app";
}

export interface ReloadPlan {
  /** Files to purge, importers first. All of them have been evaluated. */
  readonly purge: readonly string[];
  /**
   * Files to evaluate, in this order. What a body in this list `require()`s or `import()`s is not listed: the body
   * loads it again at the moment that it has at a fresh start, if it still asks for it.
   */
  readonly load: readonly string[];
  /** For each file that is purged or loaded because of a change: the chain that leads to the change. */
  readonly why: Why;
}

export function planReload(input: PlanInput): ReloadPlan {
  const { graph, next, roots, scope } = input;
  const changed = new Set([...input.changed, ...input.deleted, ...readElsewhere(graph, next)]);
  const reached = affected(graph, changed);
  const again = new Set(scope === "app" ? graph.files() : reached.files);
  for (const file of again) if (!graph.get(file)?.evaluated) again.delete(file);

  const kept = reach(next, roots, (node) => edgesThatKeep(node, changed));
  const lost = new Map<string, string | undefined>();
  for (const { file, evaluated } of graph.nodes()) {
    if (evaluated && !kept.has(file) && !again.has(file)) lost.set(file, anyOf(graph.importersOf(file), changed));
  }

  const load = filesToLoad(input, changed, again);
  const plan = {
    purge: topologicalOrder(
      new Set([...again, ...lost.keys()]),
      (file) => edgesInOrder(graph.get(file)),
      roots,
    ).reverse(),
    load: evaluationOrder(new Set(load.keys()), (file) => evaluationEdges(next.get(file)), roots),
    why: reached.why.with(lost).with(load),
  };
  Object.freeze(plan.purge);
  Object.freeze(plan.load);
  return Object.freeze(plan);
}

/**
 * Files that have to be evaluated and that no other body evaluates by itself, and with each the file that brought it in.
 * They begin with roots and with what a kept module imports, go on over static imports, and end there.
 */
function filesToLoad(
  { graph, next, roots }: PlanInput,
  changed: ReadonlySet<string>,
  again: ReadonlySet<string>,
): ReadonlyMap<string, string | undefined> {
  const isDue = (file: string): boolean => next.has(file) && (again.has(file) || !graph.get(file)?.evaluated);
  const load = new Map<string, string | undefined>();
  const add = (file: string, importer: string | undefined): void => {
    if (!load.has(file) && isDue(file)) load.set(file, importer);
  };
  for (const root of roots) add(root, undefined);
  for (const file of reach(next, roots, (node) => edgesAtStart(node, changed))) {
    if (!isDue(file)) for (const target of next.get(file)?.imports ?? []) add(target, file);
  }
  // The map is walked in insertion order, entries added on the way included.
  for (const file of load.keys()) for (const target of next.get(file)?.imports ?? []) add(target, file);
  return load;
}

/** Files with the same text whose specifiers lead elsewhere now, away from something they read while being evaluated. */
function readElsewhere(graph: ModuleGraph, next: ModuleGraph): string[] {
  const files: string[] = [];
  for (const node of next.nodes()) {
    const before = graph.get(node.file);
    if (!before || before === node || !before.evaluated) continue;
    const named = new Set([...node.imports, ...node.requires]);
    const left = [...before.imports, ...before.requires].some(
      (target) => !named.has(target) && before.observed.has(target),
    );
    if (left && before.hash === node.hash) files.push(node.file);
  }
  return files;
}

/** The observed edges of a changed file are those of its last version: only those that its new text can have still hold. */
function observedBy(node: ModuleNode, changed: ReadonlySet<string>): Iterable<string> {
  if (!changed.has(node.file)) return node.observed;
  const possible = new Set([...node.imports, ...node.requires, ...node.dynamic]);
  return [...node.observed].filter((file) => possible.has(file));
}

function edgesAtStart(node: ModuleNode, changed: ReadonlySet<string>): readonly Iterable<string>[] {
  return [node.imports, observedBy(node, changed)];
}

/** A late edge keeps a module too: its importer may still hold it. */
function edgesThatKeep(node: ModuleNode, changed: ReadonlySet<string>): readonly Iterable<string>[] {
  return [node.imports, node.requires, observedBy(node, changed), node.dynamic];
}

/** Late requires are left out: they say nothing about the order of evaluation, and would close cycles that are none. */
function edgesInOrder(node: ModuleNode | undefined): Iterable<string> {
  return node ? [...node.imports, ...node.observed] : [];
}

function evaluationEdges(node: ModuleNode | undefined): EvaluationEdges {
  if (!node) return { before: [], within: [] };
  const required = node.requires.filter((file) => node.observed.has(file));
  if (node.format === "commonjs") return { before: [], within: [...required, ...node.observed] };
  const byBody = new Set([...required, ...node.dynamic]);
  return {
    before: [...node.imports, ...[...node.observed].filter((file) => !byBody.has(file))],
    within: [...byBody].filter((file) => node.observed.has(file)),
  };
}

function anyOf(files: ReadonlySet<string>, among: ReadonlySet<string>): string | undefined {
  for (const file of files) if (among.has(file)) return file;
  return undefined;
}
