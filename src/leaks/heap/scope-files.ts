/** The file of a scope, which a snapshot does not name: that of any function that was made in it. */
import { placeOf } from "./function-place.js";
import type { HeapGraph } from "./heap-graph.js";

export class ScopeFiles {
  readonly #graph: HeapGraph;
  /** Context -> one of the functions whose chain of scopes it is in. Made when it is first needed. */
  #functions: Map<number, number> | undefined;

  constructor(graph: HeapGraph) {
    this.#graph = graph;
  }

  fileOf(scope: number): string | undefined {
    this.#functions ??= this.#allFunctions();
    const closure = this.#functions.get(scope);
    return closure === undefined ? undefined : placeOf(this.#graph, closure)?.file;
  }

  #allFunctions(): Map<number, number> {
    const graph = this.#graph;
    const functions = new Map<number, number>();
    for (let node = 0; node < graph.nodeCount; node++) {
      // V8's own functions have no place, and contexts that are theirs.
      if (graph.typeOf(node) !== "closure" || graph.placeOf(node) === undefined) continue;
      let scope = graph.follow(node, "context");
      while (scope !== undefined && !functions.has(scope) && graph.nameOf(scope) === "system / Context") {
        functions.set(scope, node);
        scope = graph.follow(scope, "previous");
      }
    }
    return functions;
  }
}
