/** Collects what is to be told to the supervisor: which modules were evaluated, and edges and classes that came up later. */
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import { EdgeSum } from "./edge-sum.js";
import { ModuleEdges } from "./module-edges.js";

/** Modules of one file (imported with as many queries) from which on what they have done together is kept. */
const MANY = 16;

export class EdgeReport {
  readonly #deliver: (modules: LoadedModule[]) => void;
  readonly #classesOf: (edges: ModuleEdges) => LoadedModule["classes"];
  readonly #versionsOf: (file: string) => readonly ModuleEdges[];
  /** Versions that were evaluated and are current. */
  readonly #evaluated = new WeakSet<ModuleEdges>();
  /** Not told yet, in order of evaluation. */
  readonly #untold = new Set<ModuleEdges>();
  /** File of many modules to what they have done, and how many they were when all were looked at. Dies with one of them. */
  readonly #sums = new Map<string, { readonly sum: EdgeSum; readonly least: number }>();
  #held = 0;
  #scheduled = false;

  /** `versionsOf`: all that are current of a file, which may be imported with several queries. */
  constructor(
    deliver: (modules: LoadedModule[]) => void,
    classesOf: (edges: ModuleEdges) => LoadedModule["classes"],
    versionsOf: (file: string) => readonly ModuleEdges[],
  ) {
    this.#deliver = deliver;
    this.#classesOf = classesOf;
    this.#versionsOf = versionsOf;
  }

  createEdges(file: string): ModuleEdges {
    return new ModuleEdges(file, (edges) => this.changed(edges));
  }

  /** A version has more to tell than it has told. */
  changed(edges: ModuleEdges): void {
    if (this.#evaluated.has(edges)) this.#tell(edges);
  }

  evaluated(edges: ModuleEdges): void {
    this.#evaluated.add(edges);
    this.#tell(edges);
  }

  dropped(edges: ModuleEdges): void {
    edges.purge();
    this.#evaluated.delete(edges);
    this.#untold.delete(edges);
    this.#sums.delete(edges.file);
  }

  /** A rolled back version is current again. */
  restored(edges: ModuleEdges): void {
    if (edges.purged) edges.restore();
    this.#sums.delete(edges.file);
    this.#evaluated.add(edges);
  }

  /** What happens from now on is taken with `take` and not delivered, until `release`. */
  hold(): void {
    this.#held++;
  }

  release(): void {
    this.#held--;
    if (this.#untold.size > 0) this.#schedule();
  }

  /**
   * Tells what has come up so far, unless it is held. To be called before code outside of any evaluation goes on: a request
   * that has loaded a module must not be answered before the supervisor knows what that module used.
   */
  deliverNow(): void {
    if (this.#held === 0) this.deliver();
  }

  /** Tells what has come up so far. */
  deliver(): void {
    if (this.#untold.size > 0) this.#deliver(this.take());
  }

  take(): LoadedModule[] {
    const byFile = new Map<string, ModuleEdges[]>();
    for (const edges of this.#untold) {
      const before = byFile.get(edges.file) ?? [];
      // What was evaluated last counts for the file's place in the order.
      byFile.delete(edges.file);
      byFile.set(edges.file, [...before, edges]);
    }
    const modules = [...byFile].map(([file, untold]) => this.#toldOf(file, untold));
    this.#untold.clear();
    return modules;
  }

  /**
   * Main knows files: what is told of one is what all its modules have done. Where they are many, what one more has done is
   * added to what was told before, and all are looked at again when as many have come as there were.
   */
  #toldOf(file: string, untold: readonly ModuleEdges[]): LoadedModule {
    const before = this.#sums.get(file);
    if (before && before.sum.size + untold.length <= 2 * before.least) {
      for (const edges of untold) before.sum.add(edges, this.#classesOf(edges));
      return before.sum.told(file);
    }
    const current = this.#versionsOf(file).filter((edges) => this.#evaluated.has(edges));
    const sum = new EdgeSum();
    for (const edges of new Set([...current, ...untold])) sum.add(edges, this.#classesOf(edges));
    if (sum.size >= MANY) this.#sums.set(file, { sum, least: sum.size });
    else this.#sums.delete(file);
    return sum.told(file);
  }

  #tell(edges: ModuleEdges): void {
    this.#untold.add(edges);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#held > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#held === 0) this.deliver();
    });
  }
}
