import { changeStops, type StoppedAt } from "./boundaries.js";
import type { ModuleGraph } from "./module-graph.js";
import { NOTHING_RECORDED, type RecordedEdges } from "./recorded.js";
import { Why } from "./why.js";

export interface Affected {
  readonly files: ReadonlySet<string>;
  readonly why: Why;
  /** Those of `files` at which the change stopped: they themselves, or who uses them, accept their new versions. */
  readonly accepted: ReadonlySet<string>;
  /** Those of `files` that come at another moment. */
  readonly moved: readonly string[];
}

export interface Unaccepted {
  /** Nobody can accept that these files are deleted. */
  readonly deleted?: Iterable<string>;
  /** Files that took their acceptance back: all who use them are affected, they themselves are not. */
  readonly invalidated?: Iterable<string>;
  /** Files to which nothing leads now, each with a file that led to it: what they have written to has to go, and globals that they have set. */
  readonly unreachable?: Iterable<readonly [file: string, user: string | undefined]>;
  /** Files that a fresh start evaluates at another moment, each with the file because of which. */
  readonly moved?: Iterable<readonly [file: string, cause: string | undefined]>;
}

interface AffectedInput extends Unaccepted {
  /** What the app has said of who depends on whom. */
  readonly recorded?: RecordedEdges | undefined;
}

/**
 * The changed files and, transitively, every file that read one of them while it was evaluated, up to those that accept
 * the change; and with each file those that it has written to while it was evaluated, and those that have written to it:
 * evaluated again beside a kept target, it would write a second time. So is, past every acceptance, each file that depends on one of
 * them by a recorded edge. Shortest chains.
 */
export function affected(
  graph: ModuleGraph,
  changed: Iterable<string>,
  { deleted = [], invalidated = [], unreachable = [], moved = [], recorded = NOTHING_RECORDED }: AffectedInput = {},
): Affected {
  const next = new Map<string, string | undefined>();
  const accepted = new Set<string>();
  const deletedFiles = new Set(deleted);
  const stopsAt = (file: string): StoppedAt =>
    graph.hasHotNodes && !deletedFiles.has(file) ? changeStops(graph, file) : nowhere;
  for (const file of changed) next.set(file, undefined);
  for (const file of invalidated) {
    for (const user of usersOf(graph, file)) if (!next.has(user)) next.set(user, file);
  }
  for (const [file, user] of unreachable) {
    // The globals that it has set go with it.
    const readers = [...graph.observersOf(file)].filter((reader) => graph.get(reader)?.globals?.has(file));
    if ((graph.get(file)?.written || readers.length > 0) && !next.has(file)) next.set(file, user);
    for (const reader of readers) if (!next.has(reader)) next.set(reader, file);
  }
  for (const [file, cause] of moved) if (!next.has(file)) next.set(file, cause);
  // A Map is walked in insertion order, entries added on the way included: it is the queue as well.
  for (const file of next.keys()) {
    // A module that accepts its own new versions has said that it cleans up behind the old ones.
    const cleansUp = accepted.has(file) || graph.get(file)?.hot?.self === true;
    if (!cleansUp) for (const each of graph.writtenTogether(file)) if (!next.has(each)) next.set(each, file);
    for (const dependent of recorded.dependentsOf(file)) if (!next.has(dependent)) next.set(dependent, file);
    const stopped = stopsAt(file);
    for (const observer of graph.observersOf(file)) {
      if (next.has(observer)) continue;
      const boundaries = stopped(observer);
      if (boundaries.length === 0) next.set(observer, file);
      for (const boundary of boundaries) {
        accepted.add(boundary);
        if (!next.has(boundary)) next.set(boundary, file);
      }
    }
  }
  return { files: new Set(next.keys()), why: new Why(next), accepted, moved: [...moved].map(([file]) => file) };
}

function nowhere(): readonly string[] {
  return [];
}

function usersOf(graph: ModuleGraph, file: string): Set<string> {
  return new Set([...graph.observersOf(file), ...graph.importersOf(file)]);
}
