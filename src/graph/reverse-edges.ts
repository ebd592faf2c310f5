/** Edges looked up from their target. Immutable; the next snapshot's edges are derived without walking all nodes. */
import { LayeredMap } from "./layered-map.js";

/** What a change of one node means for its edges: the targets before and after. */
export interface EdgeChange {
  readonly source: string;
  readonly before: Iterable<string>;
  readonly after: Iterable<string>;
}

const NONE: ReadonlySet<string> = new Set();

export class ReverseEdges {
  /** Key: target; value: its sources. An entry whose last source went away stays as an empty set. */
  readonly #sources: LayeredMap<ReadonlySet<string>>;

  private constructor(sources: LayeredMap<ReadonlySet<string>>) {
    this.#sources = sources;
  }

  static from(edges: Iterable<readonly [source: string, targets: Iterable<string>]>): ReverseEdges {
    const sources = new Map<string, Set<string>>();
    for (const [source, targets] of edges) {
      for (const target of targets) {
        const known = sources.get(target);
        if (known) known.add(source);
        else sources.set(target, new Set([source]));
      }
    }
    return new ReverseEdges(new LayeredMap(sources));
  }

  get(target: string): ReadonlySet<string> {
    return this.#sources.get(target) ?? NONE;
  }

  with(changes: Iterable<EdgeChange>): ReverseEdges {
    const copied = new Map<string, Set<string>>();
    const own = (target: string): Set<string> => {
      const known = copied.get(target);
      if (known) return known;
      const copy = new Set(this.get(target));
      copied.set(target, copy);
      return copy;
    };
    for (const { source, before, after } of changes) {
      const next = new Set(after);
      for (const target of before) if (!next.has(target)) own(target).delete(source);
      for (const target of next) if (!this.get(target).has(source)) own(target).add(source);
    }
    return copied.size === 0 ? this : new ReverseEdges(this.#sources.with(copied));
  }
}
