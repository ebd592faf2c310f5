/** Decides what a change reloads. Pure: graphs in, an immutable plan out. */
import { type Affected, affected } from "./affected.js";
import { declinedAmong } from "./boundaries.js";
import { sameEvaluationEdges } from "./evaluation-order.js";
import type { ModuleGraph } from "./module-graph.js";
import type { ModuleNode } from "./module-node.js";
import { movedAmong } from "./moved.js";
import { reachable } from "./reachable.js";
import { NOTHING_RECORDED, type RecordedEdges } from "./recorded.js";
import type { Why } from "./why.js";

export interface PlanInput {
  /** What the worker runs. */
  readonly graph: ModuleGraph;
  /** What it shall run: changed files with their new edges, deleted files gone. */
  readonly next: ModuleGraph;
  /** Files whose text is new: saved or added. */
  readonly changed: Iterable<string>;
  readonly deleted: Iterable<string>;
  /** Files that took back what they had accepted: those who use them are loaded again after all. */
  readonly invalidated?: Iterable<string>;
  /** Who depends on whom because the app says so; files that are no modules are among them. */
  readonly recorded?: RecordedEdges | undefined;
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
  /** Those of `load` whose new versions were accepted: the change went no further there. */
  readonly accepted: readonly string[];
  /** Files that are evaluated again because a fresh start evaluates them, or others with which they share something, at another moment. */
  readonly moved: readonly string[];
  /** A file that has declined to be replaced and would be: a fresh worker is asked for. */
  readonly declined: string | undefined;
  /** For each file that is purged or loaded because of a change: the chain that leads to the change. */
  readonly why: Why;
}

export function planReload(input: PlanInput): ReloadPlan {
  const { graph, next, roots, scope, recorded = NOTHING_RECORDED } = input;
  const replaced = next.replacedSince(graph);
  const changed = new Set([...input.changed, ...input.deleted, ...ledElsewhere(graph, replaced)]);
  const unreachable = unreachableFiles(input, replaced, changed);
  const reached = reachedBy(input, replaced, changed, unreachable);
  const again = evaluatedOf(graph, scope === "app" ? graph.files() : reached.files);
  const accepted = scope === "app" ? new Set<string>() : reached.accepted;
  const load = filesToLoad(input, replaced, again, accepted);
  const order = recorded.dependenciesFirst(next.evaluationOrder(roots).toLoad(load.keys()));
  const purge = graph.evaluationOrder(roots).toPurge(new Set([...again, ...unreachable.keys()]));
  return Object.freeze({
    purge: Object.freeze(recorded.dependenciesFirst(purge.reverse()).reverse()),
    load: Object.freeze(order),
    accepted: Object.freeze(order.filter((file) => accepted.has(file))),
    moved: Object.freeze([...reached.moved]),
    declined: declinedAmong(graph, reached.files),
    why: reached.why.with(unreachable).with(load),
  });
}

/** What the change reaches, and what comes in another order because of it. */
function reachedBy(
  input: PlanInput,
  replaced: readonly ModuleNode[],
  changed: ReadonlySet<string>,
  unreachable: ReadonlyMap<string, string | undefined>,
): Affected {
  const { graph, scope } = input;
  let reached = affected(graph, changed, { ...input, unreachable });
  const isUnknown = replaced.some((node) => loadsByComputedNames(graph.get(node.file), node));
  if (scope === "app" || isUnknown) return reached;
  const [cause] = replaced.flatMap((node) => (isSamePlace(graph.get(node.file), node) ? [] : [node.file]));
  const moved = new Map<string, string | undefined>();
  for (;;) {
    const again = new Set([...reached.files, ...unreachable.keys()]);
    const more = [...movedAmong({ ...input, again })].filter((file) => !again.has(file));
    if (more.length === 0) return reached;
    for (const file of more) moved.set(file, cause);
    reached = affected(graph, changed, { ...input, unreachable, moved });
  }
}

function isSamePlace(before: ModuleNode | undefined, after: ModuleNode): boolean {
  return before !== undefined && sameEvaluationEdges(before, after);
}

/** Then it is only known when the new text has been evaluated in which order it loads what, and moves what (`movedAmong`). */
function loadsByComputedNames(before: ModuleNode | undefined, after: ModuleNode): boolean {
  for (const target of before?.observed ?? []) {
    if (!after.observed.has(target) && after.dynamic.has(target)) return true;
  }
  return false;
}

function evaluatedOf(graph: ModuleGraph, files: Iterable<string>): Set<string> {
  const evaluated = new Set<string>();
  for (const file of files) if (graph.get(file)?.evaluated) evaluated.add(file);
  return evaluated;
}

/**
 * Files with the same text that have to be evaluated again because of where their specifiers lead now: away from
 * something that they read while being evaluated, or, for a `require()` that failed (and was caught), somewhere at all.
 */
function ledElsewhere(graph: ModuleGraph, replaced: readonly ModuleNode[]): string[] {
  const files: string[] = [];
  for (const node of replaced) {
    const before = graph.get(node.file);
    if (!before?.evaluated || before.hash !== node.hash) continue;
    const left = missingFrom([...node.imports, ...node.requires], [...before.imports, ...before.requires]);
    const found = missingFrom([...before.imports, ...before.requires], node.requires);
    if (found.length > left.length || left.some((target) => before.observed.has(target))) files.push(node.file);
  }
  return files;
}

function missingFrom(some: Iterable<string>, among: readonly string[]): string[] {
  const present = new Set(some);
  return among.filter((file) => !present.has(file));
}

/** Evaluated files to which no edge leads any more, each with a file that used to lead to it. A late edge keeps a file. */
function unreachableFiles(
  { graph, next, roots, deleted }: PlanInput,
  replaced: readonly ModuleNode[],
  changed: ReadonlySet<string>,
): ReadonlyMap<string, string | undefined> {
  const unreachable = new Map<string, string | undefined>();
  const drops = replaced.some((node) => dropsTarget(graph.get(node.file), node));
  if (!drops && [...deleted].length === 0) return unreachable;
  const kept = reachable(next, roots);
  for (const { file, evaluated } of graph.nodes()) {
    if (!evaluated || kept.has(file)) continue;
    unreachable.set(
      file,
      [...graph.importersOf(file), ...graph.observersOf(file)].find((user) => changed.has(user)),
    );
  }
  return unreachable;
}

function dropsTarget(before: ModuleNode | undefined, after: ModuleNode): boolean {
  if (!before) return false;
  return missingFrom(targetsOf(after), targetsOf(before)).length > 0;
}

function targetsOf({ imports, requires, observed, dynamic, monitored = [] }: ModuleNode): string[] {
  return [...imports, ...requires, ...observed, ...dynamic, ...monitored];
}

/**
 * Files that have to be evaluated and that no other body evaluates by itself, each with the file that brought it in.
 * They begin with roots and with what a kept module imports, go on over static imports, and end there.
 */
function filesToLoad(
  { graph, next, roots }: PlanInput,
  replaced: readonly ModuleNode[],
  again: ReadonlySet<string>,
  accepted: ReadonlySet<string>,
): ReadonlyMap<string, string | undefined> {
  const { eager } = next.evaluationOrder(roots);
  const isDue = (file: string): boolean => next.has(file) && (again.has(file) || !graph.get(file)?.evaluated);
  const isKept = (file: string): boolean => !isDue(file) && eager.has(file);
  const load = new Map<string, string | undefined>();
  const add = (file: string, importer: string | undefined): void => {
    if (!load.has(file) && isDue(file)) load.set(file, importer);
  };
  for (const root of roots) add(root, undefined);
  for (const file of again) {
    const importer = [...next.importersOf(file)].find((user) => isKept(user) && next.get(user)?.imports.includes(file));
    if (importer !== undefined) add(file, importer);
  }
  for (const [file, user] of acceptedByKept(graph, next, again, accepted)) add(file, user);
  // A body that runs again asks for them by itself.
  for (const { file, monitored = [], evaluated } of next.monitoringNodes()) {
    if (evaluated && !again.has(file)) for (const target of monitored) add(target, file);
  }
  for (const node of replaced) if (isKept(node.file)) for (const target of node.imports) add(target, node.file);
  // The map is walked in insertion order, entries added on the way included.
  for (const file of load.keys()) for (const target of next.get(file)?.imports ?? []) add(target, file);
  return load;
}

/** What kept modules wait for: no body loads it by itself, since those who did are not evaluated again. */
function* acceptedByKept(
  graph: ModuleGraph,
  next: ModuleGraph,
  again: ReadonlySet<string>,
  accepted: ReadonlySet<string>,
): Iterable<readonly [file: string, user: string]> {
  if (!graph.hasHotNodes) return;
  const isKept = (file: string): boolean => !again.has(file) && next.has(file) && graph.get(file)?.evaluated === true;
  for (const { file: user, hot } of graph.hotNodes()) {
    if (isKept(user)) for (const file of hot?.dependencies ?? []) if (again.has(file)) yield [file, user];
  }
  for (const file of accepted) {
    const user = [...graph.importersOf(file), ...graph.observersOf(file)].find(isKept);
    if (user !== undefined) yield [file, user];
  }
}
