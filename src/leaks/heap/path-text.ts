/**
 * A path through the heap in the words of the program: variables, properties, entries of collections, functions with
 * their place. What V8 and Node put between them (contexts, tables, caches of modules) is left out.
 */
import { fileOfModule, type HolderPlace, isNodeFunction, placeOf } from "./function-place.js";
import type { HeapGraph } from "./heap-graph.js";
import type { PathStep } from "./retaining-paths.js";
import type { ScopeFiles } from "./scope-files.js";

/** One link of the chain. */
export interface Holder {
  /** A variable, a property, an entry of a collection, a function. */
  readonly text: string;
  /** Where it stands in the source, where that is known. */
  readonly place?: HolderPlace | undefined;
}

/** Longer keys and names are cut. */
const SHOWN_NAME = 60;
/** Objects of Node's that a program has made or knows: how Node itself holds them says nothing. */
const KNOWN_OBJECTS: ReadonlySet<string> = new Set(["Timeout", "Immediate", "process"]);

/**
 * From the first thing that a program knows of to what is kept alive. `watched`: the nodes whose survival is asked for;
 * a module's scope that is one of them does not explain anything by itself.
 */
export function describePath(
  graph: HeapGraph,
  steps: readonly PathStep[],
  watched: ReadonlySet<number>,
  scopes: ScopeFiles,
): Holder[] {
  const path = new HeapPath(graph, withoutScopeAtEnd(graph, steps), scopes);
  const begin = path.begin(watched);
  const holders: Holder[] = [];
  for (let at = begin; at < path.length; at++) holders.push(...path.links(at, at === begin));
  return withoutRepeats(holders);
}

/** The last function's context, and what hangs on it, is the scope whose survival is explained. */
function withoutScopeAtEnd(graph: HeapGraph, steps: readonly PathStep[]): readonly PathStep[] {
  const last = steps.at(-1);
  if (!last || graph.typeOf(last.node) === "closure" || graph.edgeType(last.edge) !== "context") return steps;
  let end = steps.length - 1;
  while (end > 0 && isContext(graph, steps[end - 1]?.node ?? 0)) end--;
  return end === 0 ? steps : steps.slice(0, end);
}

class HeapPath {
  readonly #graph: HeapGraph;
  readonly #steps: readonly PathStep[];
  readonly #scopes: ScopeFiles;

  constructor(graph: HeapGraph, steps: readonly PathStep[], scopes: ScopeFiles) {
    this.#graph = graph;
    this.#steps = steps;
    this.#scopes = scopes;
  }

  get length(): number {
    return this.#steps.length;
  }

  /**
   * Where the program's own part begins: at the last variable of a module that is not old code itself, since how that
   * module is reached says nothing; without one, where Node's own bookkeeping ends.
   */
  begin(watched: ReadonlySet<number>): number {
    const variable = this.#steps.findLastIndex((_, at) => this.#isModuleVariable(at, watched));
    if (variable !== -1) return variable;
    let begin = 0;
    for (let at = 0; at < this.length; at++) {
      const node = this.#node(at);
      const before = this.#node(at - 1);
      const isNodes =
        isNodeFunction(this.#graph, node) || this.#type(at) === "synthetic" || isGlobal(this.#graph, node);
      if (isNodes || (isContext(this.#graph, node) && isNodeFunction(this.#graph, before))) begin = at + 1;
      else if (KNOWN_OBJECTS.has(this.#graph.nameOf(node))) begin = at;
      else if (this.#edgeName(at) === "<symbol owner_symbol>") begin = at;
    }
    return Math.min(begin, this.length - 1);
  }

  /** The links that the step at `at` adds to the chain. */
  links(at: number, isFirst: boolean): Holder[] {
    const graph = this.#graph;
    const node = this.#node(at);
    if (isHidden(graph, node)) return [];
    const way = this.#way(at);
    const name = graph.nameOf(node);
    if (this.#type(at) === "closure" || isSuspended(graph, node)) {
      const place = placeOf(graph, node);
      const kind = this.#type(at) === "closure" ? "closure" : "suspended function";
      const shown = kind === "closure" ? name : graph.nameOf(graph.follow(node, "function") ?? node);
      const link = { text: `${kind} ${cut(shown) || "(anonymous)"}`, ...(place && { place }) };
      const links = way && way.name !== name ? [bare(way)] : [];
      // V8's own functions (those that `bind` and `await` make) have no place.
      return place ? [...links, link] : links;
    }
    if (isFirst && KNOWN_OBJECTS.has(name)) return [{ text: name === "Timeout" ? "timer" : name.toLowerCase() }];
    if (isFirst && this.#edgeName(at) === "<symbol owner_symbol>") return [{ text: cut(name) }];
    if (way === undefined) return [{ text: cut(name) || this.#type(at) }];
    // Only on the way to a listener.
    if (way.name === "_events") return [];
    const isTelling = name !== "" && name !== "Object" && name !== "Array";
    return [bare({ ...way, text: isTelling ? `${way.text} (${cut(name)})` : way.text })];
  }

  #isModuleVariable(at: number, watched: ReadonlySet<number>): boolean {
    const before = this.#node(at - 1);
    if (this.#graph.nameOf(before) === "system / Cell") return this.#moduleOfCell(at - 1) !== undefined;
    if (this.#edgeType(at) !== "context" || !isModuleScope(this.#graph, before)) return false;
    const scope = this.#graph.follow(before, "__ur");
    const file = this.#scopeFile(at - 1);
    return file !== undefined && !file.startsWith("node:") && (scope === undefined || !watched.has(scope));
  }

  /** How the step at `at` is reached: a variable, a property, an entry. `name` is to be compared with the target's. */
  #way(at: number): (Holder & { readonly name: string }) | undefined {
    const graph = this.#graph;
    const name = this.#edgeName(at);
    const before = this.#node(at - 1);
    switch (this.#edgeType(at)) {
      case "context": {
        const file = isModuleScope(graph, before) ? this.#scopeFile(at - 1) : undefined;
        return { name, text: `variable ${cut(name)}`, ...(file !== undefined && { place: { file } }) };
      }
      case "property": {
        if (isGlobal(graph, before)) return { name, text: `globalThis.${cut(name)}` };
        if (this.#edgeName(at - 1) === "_events") return { name: "", text: `listener for "${cut(name)}"` };
        const isName = /^[\p{ID_Start}$_#][\p{ID_Continue}$]*$/u.test(name);
        return { name, text: isName ? `.${cut(name)}` : `[${cut(name)}]` };
      }
      case "element":
        return { name, text: `[${name}]` };
      case "internal":
      case "hidden":
        return this.#internalWay(at, name);
      default:
        return undefined;
    }
  }

  /** Slots of V8's own objects that a program has words for. */
  #internalWay(at: number, name: string): (Holder & { readonly name: string }) | undefined {
    const graph = this.#graph;
    const before = this.#node(at - 1);
    const entry = / \/ part of key \((.*?) @\d+\) -> value .* pair in WeakMap/.exec(name);
    if (entry) return { name, text: `WeakMap entry of ${cut(entry[1] ?? "")}` };
    if (this.#edgeName(at - 1) === "table") {
      const collection = graph.nameOf(this.#node(at - 2));
      const key = collection === "Map" ? keyOfEntry(graph, before, Number(name)) : undefined;
      return { name, text: key === undefined ? `${collection} entry` : `Map entry ${key}` };
    }
    if (graph.nameOf(before) === "system / PromiseReaction") return { name, text: "promise reaction" };
    if (graph.nameOf(before) === "system / Cell") {
      const exported = this.#moduleOfCell(at - 1);
      if (exported) return { name: exported.name, text: `export ${exported.name}`, place: { file: exported.file } };
    }
    if (name === "bound_function") return { name, text: "bound function" };
    if (name === "bound_this") return { name, text: "bound this" };
    return undefined;
  }

  /** The export that a cell of an ES module stands for, when the path comes from that module. */
  #moduleOfCell(at: number): { name: string; file: string } | undefined {
    const graph = this.#graph;
    const module = [at - 1, at - 2].map((back) => this.#node(back)).find((node) => isNativeModule(graph, node));
    const file = module === undefined ? undefined : fileOfModule(graph, module);
    if (module === undefined || file === undefined) return undefined;
    const cell = this.#node(at);
    for (let edge = graph.edgesBegin(module); edge < graph.edgesEnd(module); edge++) {
      const table = graph.edgeTarget(edge);
      const slot = slotOf(graph, table, cell);
      const key = slot === undefined ? undefined : graph.follow(table, String(slot - 1));
      if (key !== undefined && graph.typeOf(key) === "string") return { name: graph.nameOf(key), file };
    }
    return { name: "(unnamed)", file };
  }

  /** The file of a scope: that of the function through which it is reached, or of any that has it. */
  #scopeFile(at: number): string | undefined {
    for (let before = at; before >= 0; before--) {
      const place = placeOf(this.#graph, this.#node(before));
      if (place) return place.file;
      if (isNativeModule(this.#graph, this.#node(before))) return fileOfModule(this.#graph, this.#node(before));
      if (!isContext(this.#graph, this.#node(before))) break;
    }
    return this.#scopes.fileOf(this.#node(at));
  }

  #node(at: number): number {
    return this.#steps[at]?.node ?? 0;
  }

  #type(at: number): string {
    return this.#graph.typeOf(this.#node(at));
  }

  #edgeName(at: number): string {
    const step = this.#steps[at];
    return step ? this.#graph.edgeName(step.edge) : "";
  }

  #edgeType(at: number): string {
    const step = this.#steps[at];
    return step ? this.#graph.edgeType(step.edge) : "";
  }
}

/** An entry of a Map is three slots: key, value, and a number that no edge leads to. */
function keyOfEntry(graph: HeapGraph, table: number, slot: number): string | undefined {
  const key = graph.follow(table, String(slot - 1));
  if (key === undefined) return undefined;
  const type = graph.typeOf(key);
  const text = cut(graph.textOf(key));
  return type.endsWith("string") ? JSON.stringify(text) : `of ${text || type}`;
}

function slotOf(graph: HeapGraph, table: number, target: number): number | undefined {
  for (let edge = graph.edgesBegin(table); edge < graph.edgesEnd(table); edge++) {
    if (graph.edgeTarget(edge) === target && /^\d+$/.test(graph.edgeName(edge))) return Number(graph.edgeName(edge));
  }
  return undefined;
}

/** The variables of a function or block; `system / NativeContext` is what all of them end in. */
function isContext(graph: HeapGraph, node: number): boolean {
  const name = graph.nameOf(node);
  return name === "system / Context" || name === "system / NativeContext";
}

/** The outermost scope of a file. */
function isModuleScope(graph: HeapGraph, node: number): boolean {
  if (graph.nameOf(node) !== "system / Context") return false;
  const outer = graph.follow(node, "previous");
  return outer === undefined || graph.nameOf(outer) !== "system / Context";
}

function isGlobal(graph: HeapGraph, node: number): boolean {
  return graph.typeOf(node) === "object" && graph.nameOf(node).startsWith("global");
}

/** An ES module that Node itself has loaded. */
function isNativeModule(graph: HeapGraph, node: number): boolean {
  return graph.nameOf(node) === "system / SourceTextModule";
}

/** What a call of a generator or async function leaves behind while it waits. */
function isSuspended(graph: HeapGraph, node: number): boolean {
  return graph.typeOf(node) === "object" && graph.follow(node, "parameters_and_registers") !== undefined;
}

/** Not an object that a program could hold. */
function isHidden(graph: HeapGraph, node: number): boolean {
  const type = graph.typeOf(node);
  return !["object", "closure"].includes(type) || graph.nameOf(node).startsWith("system / ");
}

/** A way without the name that it is compared by. */
function bare({ text, place }: Holder): Holder {
  return { text, ...(place && { place }) };
}

/** `instance -> .__proto__ -> .constructor -> class` needs no steps between. */
function withoutRepeats(holders: readonly Holder[]): Holder[] {
  const kept = holders.filter(({ text }) => text !== ".__proto__" && text !== ".constructor");
  return kept.filter(({ text, place }, at) => {
    const before = kept[at - 1];
    return before?.text !== text || before.place?.line !== place?.line;
  });
}

function cut(name: string): string {
  return name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}…` : name;
}
