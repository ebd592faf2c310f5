/** Where the functions and modules of a snapshot stand in the source. */
import { fileURLToPath } from "node:url";
import type { HeapGraph } from "./heap-graph.js";

/** A place in a file as V8 knows it, lines and columns counted from 1. */
export interface HolderPlace {
  /** Absolute path. */
  readonly file: string;
  /** From 1. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
}

/** The place of a function, or of the function that a generator or `await` has suspended. */
export function placeOf(graph: HeapGraph, node: number): HolderPlace | undefined {
  const closure = graph.typeOf(node) === "closure" ? node : graph.follow(node, "function");
  const shared = closure === undefined ? undefined : graph.follow(closure, "shared");
  const script = shared === undefined ? undefined : graph.follow(shared, "script", "script_or_debug_info");
  const name = script === undefined ? undefined : graph.follow(script, "name");
  const text = name === undefined ? "" : graph.textOf(name);
  if (closure === undefined || text === "") return undefined;
  const place = graph.placeOf(closure);
  const file = text.startsWith("file://") ? fileURLToPath(text) : text;
  return { file, ...(place && { line: place.line + 1, column: place.column + 1 }) };
}

/** Whether a function is Node's own. */
export function isNodeFunction(graph: HeapGraph, node: number): boolean {
  return graph.typeOf(node) === "closure" && placeOf(graph, node)?.file.startsWith("node:") === true;
}

/** The file of an ES module that Node itself has loaded: known by the code that it ran. */
export function fileOfModule(graph: HeapGraph, module: number): string | undefined {
  for (let edge = graph.edgesBegin(module); edge < graph.edgesEnd(module); edge++) {
    const place = placeOf(graph, graph.edgeTarget(edge));
    if (place) return place.file;
  }
  return undefined;
}
