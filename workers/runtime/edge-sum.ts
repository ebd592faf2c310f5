/** What the modules of one file have done together: one, or as many as there are queries it was imported with. */
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import type { ModuleEdges } from "./module-edges.js";

type Classes = LoadedModule["classes"];

export class EdgeSum {
  /** Additions so far. */
  size = 0;
  readonly #observed = new Set<string>();
  readonly #globals = new Set<string>();
  readonly #dynamic = new Set<string>();
  readonly #written = new Set<string>();
  readonly #sets = new Set<string>();
  readonly #registers = new Set<string>();
  readonly #reads = new Map<string, string | undefined>();
  readonly #looks = new Map<string, string | undefined>();
  readonly #links = new Set<string>();
  readonly #lists = new Set<string>();
  readonly #usedByPackages = new Set<string>();
  readonly #starts = new Map<string, number>();
  #isPrimary = false;
  #hot: ModuleEdges["hot"];
  #asks: ModuleEdges["asks"];
  /** Name and bases to the classes of that kind which one module has made: those of the others are of the same text. */
  readonly #classes = new Map<string, Classes>();

  add(edges: ModuleEdges, classes: Classes): void {
    this.size++;
    for (const name of edges.observed) this.#observed.add(name);
    for (const name of edges.globals) this.#globals.add(name);
    for (const name of edges.dynamic) this.#dynamic.add(name);
    for (const name of edges.written) this.#written.add(name);
    for (const name of edges.sets) this.#sets.add(name);
    for (const name of edges.registers) this.#registers.add(name);
    for (const [file, hash] of edges.reads) this.#reads.set(file, hash);
    for (const [file, hash] of edges.looks) this.#looks.set(file, hash);
    for (const link of edges.links) this.#links.add(link);
    for (const folder of edges.lists) this.#lists.add(folder);
    for (const file of edges.usedByPackages) this.#usedByPackages.add(file);
    for (const [file, since] of edges.starts) this.#starts.set(file, since);
    this.#isPrimary ||= edges.isPrimary;
    this.#hot = edges.hot ?? this.#hot;
    this.#asks = edges.asks ?? this.#asks;
    const byKind = new Map<string, Classes>();
    for (const one of classes) {
      const kind = JSON.stringify([one.name, ...one.bases]);
      byKind.set(kind, [...(byKind.get(kind) ?? []), one]);
    }
    for (const [kind, some] of byKind) this.#classes.set(kind, some);
  }

  told(file: string): LoadedModule {
    const [reads, starts] = [[...this.#reads], [...this.#starts]];
    const looks = [...this.#looks].filter(([looked]) => !this.#reads.has(looked));
    return {
      file,
      observed: [...this.#observed],
      ...(this.#globals.size > 0 && { globals: [...this.#globals] }),
      dynamic: [...this.#dynamic],
      written: [...this.#written],
      ...(this.#sets.size > 0 && { sets: [...this.#sets] }),
      ...(this.#registers.size > 0 && { registers: [...this.#registers] }),
      reads: reads.map(([read, hash]) => ({ file: read, ...(hash !== undefined && { hash }) })),
      ...(looks.length > 0 && {
        looks: looks.map(([looked, hash]) => ({ file: looked, ...(hash !== undefined && { hash }) })),
      }),
      ...(this.#links.size > 0 && { links: [...this.#links] }),
      lists: [...this.#lists],
      ...(this.#usedByPackages.size > 0 && { usedByPackages: [...this.#usedByPackages] }),
      ...(starts.length > 0 && { starts: starts.map(([started, since]) => ({ file: started, since })) }),
      ...(this.#isPrimary && { isPrimary: true as const }),
      ...(this.#hot && { hot: this.#hot }),
      ...(this.#asks && { asks: this.#asks }),
      classes: [...this.#classes.values()].flat(),
    };
  }
}
