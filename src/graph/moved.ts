/**
 * Modules that have to be evaluated again because of the order in which a fresh start evaluates them: they write into the same
 * module, or set or register the same thing, or one reads what another writes, and what they have left would be there in
 * another order. Pure.
 */
import type { EvaluationOrder } from "./evaluation-order.js";
import type { ModuleGraph } from "./module-graph.js";
import type { ModuleNode } from "./module-node.js";

export interface OrdersInput {
  /** In whose order the modules were evaluated. */
  readonly graph: ModuleGraph;
  /** In whose order a fresh start would evaluate them. */
  readonly next: ModuleGraph;
  readonly roots: readonly string[];
  /** Files that are evaluated again in any case, or were just now, in the order of `next`. */
  readonly again: ReadonlySet<string>;
}

/** Costs next to nothing while the order stays as it was, and one look at each node else. */
export function movedAmong({ graph, next, roots, again }: OrdersInput): Set<string> {
  const [before, after] = [graph.evaluationOrder(roots), next.evaluationOrder(roots)];
  const isEager = (file: string): boolean => after.eager.has(file) && next.get(file)?.evaluated === true;
  const moved = new Set<string>();
  const add = (files: Iterable<string>): void => {
    for (const file of files) moved.add(file);
  };
  /** A quick look: whether one of `again` has a kept one behind it, and has set it or is new there. */
  const mayBeOvertaken = (target: string, files: Iterable<string>): boolean => {
    let [first, last] = [Number.POSITIVE_INFINITY, -1];
    for (const file of files) {
      if (!again.has(file)) last = Math.max(last, after.beginsAt(file));
      else if (next.get(file)?.sets?.has(target) || !graph.get(file)?.registers?.has(target))
        first = Math.min(first, after.beginsAt(file));
    }
    return first < last;
  };
  const targets = before === after ? namesOf(next, again) : targetsOf(next);
  for (const [target, files] of targets) {
    if (before === after && !mayBeOvertaken(target, files)) continue;
    const users = after.toLoad([...files].filter(isEager));
    const known = users.filter((file) => usesOf(graph.get(file)).includes(target));
    if (isSet(target, next, users)) add(overtaken(users, before.toLoad(known), again));
    else if (isDisordered(users, known, before, after, again)) add(users);
    if (before === after || again.has(target)) continue;
    const readers = readersOf(graph, target, known).filter((file) => isEager(file) && before.eager.has(file));
    if (readers.length === 0) continue;
    const [old, now] = [new Moments(before, known), new Moments(after, known)];
    for (const reader of readers) {
      if (old.isSame(reader, now)) continue;
      moved.add(reader);
      // What is written later has to be gone when it reads.
      if (!now.isBehindAll(reader)) add(users);
    }
  }
  return moved;
}

/** What all modules have written into, set or registered -> who did. */
function targetsOf(graph: ModuleGraph): Map<string, Iterable<string>> {
  const targets = new Map<string, string[]>();
  for (const node of graph.nodes()) {
    for (const target of usesOf(node)) {
      const files = targets.get(target);
      if (files) files.push(node.file);
      else targets.set(target, [node.file]);
    }
  }
  return targets;
}

/** What certain modules have set or registered -> who did, also of the others. */
function namesOf(graph: ModuleGraph, files: Iterable<string>): Map<string, Iterable<string>> {
  const targets = new Map<string, Iterable<string>>();
  for (const file of files) {
    const { sets, registers } = graph.get(file) ?? {};
    for (const name of [...(sets ?? []), ...(registers ?? [])]) targets.set(name, graph.sharersOf(name));
  }
  return targets;
}

function usesOf(node: ModuleNode | undefined): string[] {
  if (!node || (!node.written && !node.sets && !node.registers)) return [];
  return [...(node.written ?? []), ...(node.sets ?? []), ...(node.registers ?? [])];
}

function isSet(target: string, graph: ModuleGraph, [first]: readonly string[]): boolean {
  return first !== undefined && graph.get(first)?.sets?.has(target) === true;
}

/**
 * Of modules that set the same thing the last one counts, and each may build on the one before: those behind one that is evaluated
 * again, or that come in another order, set it again. `before`: those that had set it, as they came.
 */
function overtaken(users: readonly string[], before: readonly string[], again: ReadonlySet<string>): string[] {
  const kept = before.filter((file) => !again.has(file));
  const found: string[] = [];
  let isInOrder = true;
  let at = 0;
  for (const file of users) {
    if (again.has(file)) {
      isInOrder = false;
      if (found.length > 0) found.push(file);
    } else {
      if (kept[at++] !== file) isInOrder = false;
      if (!isInOrder) found.push(file);
    }
  }
  return found;
}

/**
 * What modules have added stands in the order in which they did, and comes back to its place when one is evaluated again. That
 * is wrong when they come in another order now, or when one that has added nothing before comes in front of a kept one.
 */
function isDisordered(
  users: readonly string[],
  known: readonly string[],
  before: EvaluationOrder,
  after: EvaluationOrder,
  again: ReadonlySet<string>,
): boolean {
  const lastKept = users.findLastIndex((file) => !again.has(file));
  if (lastKept < 0) return false;
  const isKnown = new Set(known);
  if (users.some((file, index) => index < lastKept && !isKnown.has(file) && again.has(file))) return true;
  if (before === after) return false;
  return !isSameOrder(before.toLoad(known), known) || !isSameOrder(before.toPurge(known), after.toPurge(known));
}

function isSameOrder(some: readonly string[], others: readonly string[]): boolean {
  return some.every((file, index) => file === others[index]);
}

/** Who has read what the writers write into: a module, or what is no module's and one of them has set. */
function readersOf(graph: ModuleGraph, target: string, writers: readonly string[]): string[] {
  const readers = new Set(graph.observersOf(target));
  if (!graph.has(target)) {
    for (const writer of writers) {
      for (const reader of graph.observersOf(writer)) if (graph.get(reader)?.globals?.has(writer)) readers.add(reader);
    }
  }
  for (const writer of writers) readers.delete(writer);
  return [...readers];
}

/** When the bodies of writers begin and end, of which one may evaluate another in its middle. */
class Moments {
  readonly #order: EvaluationOrder;
  readonly #begin: Float64Array;
  readonly #end: Float64Array;

  constructor(order: EvaluationOrder, writers: readonly string[]) {
    this.#order = order;
    this.#begin = Float64Array.from(writers, (file) => order.beginsAt(file)).sort();
    this.#end = Float64Array.from(writers, (file) => order.endsAt(file)).sort();
  }

  /** Whether as many writers come in front of the file: they themselves come in the same order. */
  isSame(file: string, other: Moments): boolean {
    const [mine, others] = [this.#inFront(file), other.#inFront(file)];
    return mine[0] === others[0] && mine[1] === others[1];
  }

  isBehindAll(file: string): boolean {
    return this.#inFront(file)[0] === this.#begin.length;
  }

  #inFront(file: string): readonly [begun: number, ended: number] {
    return [countBelow(this.#begin, this.#order.beginsAt(file)), countBelow(this.#end, this.#order.endsAt(file))];
  }
}

/** How many of sorted numbers are below one. */
function countBelow(numbers: Float64Array, limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
