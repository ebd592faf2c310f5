/** Collects what is to be told to the supervisor: which modules were evaluated, and edges and classes that came up later. */
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import { ModuleEdges } from "./module-edges.js";

export class EdgeReport {
  readonly #deliver: (modules: LoadedModule[]) => void;
  readonly #classesOf: (edges: ModuleEdges) => LoadedModule["classes"];
  /** Versions that were evaluated and are current. */
  readonly #evaluated = new WeakSet<ModuleEdges>();
  /** Not told yet, in order of evaluation. */
  readonly #untold = new Set<ModuleEdges>();
  #held = 0;
  #scheduled = false;

  constructor(deliver: (modules: LoadedModule[]) => void, classesOf: (edges: ModuleEdges) => LoadedModule["classes"]) {
    this.#deliver = deliver;
    this.#classesOf = classesOf;
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
  }

  /** A rolled back version is current again. */
  restored(edges: ModuleEdges): void {
    if (edges.purged) edges.restore();
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
    const modules = [...this.#untold].map((edges) => ({
      file: edges.file,
      observed: [...edges.observed],
      dynamic: [...edges.dynamic],
      written: [...edges.written],
      reads: [...edges.reads].map(([file, hash]) => ({ file, ...(hash !== undefined && { hash }) })),
      lists: [...edges.lists],
      ...(edges.usedByPackages.size > 0 && { usedByPackages: [...edges.usedByPackages] }),
      ...(edges.starts.size > 0 && { starts: [...edges.starts].map(([file, since]) => ({ file, since })) }),
      ...(edges.isPrimary && { isPrimary: true as const }),
      ...(edges.hot && { hot: edges.hot }),
      ...(edges.asks && { asks: edges.asks }),
      classes: this.#classesOf(edges),
    }));
    this.#untold.clear();
    return modules;
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
