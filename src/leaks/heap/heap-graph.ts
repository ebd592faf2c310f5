/** A heap snapshot as a graph: who refers to whom. Nodes and edges are numbers, counted from 0; node 0 is the root. */

/** `snapshot.meta` of the file: which number of a row means what. */
export interface SnapshotMeta {
  readonly node_fields: readonly string[];
  /** The first entry is the list of node types. */
  readonly node_types: readonly unknown[];
  readonly edge_fields: readonly string[];
  readonly edge_types: readonly unknown[];
  readonly location_fields?: readonly string[];
}

/** The sections of the file. */
export interface SnapshotSections {
  readonly meta: SnapshotMeta;
  readonly nodes: Uint32Array;
  readonly edges: Uint32Array;
  readonly locations: readonly number[];
  readonly strings: readonly string[];
}

/** Where a function was defined, counted from 0 as V8 does. */
export interface FunctionPlace {
  readonly line: number;
  readonly column: number;
}

export class HeapGraph {
  readonly nodeCount: number;
  readonly #sections: SnapshotSections;
  readonly #nodeWidth: number;
  readonly #edgeWidth: number;
  readonly #typeField: number;
  readonly #nameField: number;
  readonly #idField: number;
  readonly #nodeTypes: readonly string[];
  readonly #edgeTypes: readonly string[];
  /** Node -> its first edge; one entry more than nodes. */
  readonly #firstEdge: Uint32Array;
  /** Function node -> place. */
  readonly #places = new Map<number, FunctionPlace>();

  constructor(sections: SnapshotSections) {
    const { meta, nodes, locations } = sections;
    this.#sections = sections;
    this.#nodeWidth = meta.node_fields.length;
    this.#edgeWidth = meta.edge_fields.length;
    this.#typeField = meta.node_fields.indexOf("type");
    this.#nameField = meta.node_fields.indexOf("name");
    this.#idField = meta.node_fields.indexOf("id");
    this.#nodeTypes = meta.node_types[0] as readonly string[];
    this.#edgeTypes = meta.edge_types[0] as readonly string[];
    this.nodeCount = nodes.length / this.#nodeWidth;
    const countField = meta.node_fields.indexOf("edge_count");
    this.#firstEdge = new Uint32Array(this.nodeCount + 1);
    let edge = 0;
    for (let node = 0; node < this.nodeCount; node++) {
      this.#firstEdge[node] = edge;
      edge += nodes[node * this.#nodeWidth + countField] ?? 0;
    }
    this.#firstEdge[this.nodeCount] = edge;
    const width = meta.location_fields?.length ?? 4;
    for (let at = 0; at + width <= locations.length; at += width) {
      const [object = 0, , line = 0, column = 0] = locations.slice(at, at + width);
      this.#places.set(object / this.#nodeWidth, { line, column });
    }
  }

  /** object, closure, string, array, hidden, code, synthetic, ... */
  typeOf(node: number): string {
    return this.#nodeTypes[this.#sections.nodes[node * this.#nodeWidth + this.#typeField] ?? -1] ?? "";
  }

  nameOf(node: number): string {
    return this.#sections.strings[this.#sections.nodes[node * this.#nodeWidth + this.#nameField] ?? -1] ?? "";
  }

  /**
   * What a string says, also when it is kept as the two strings that it was put together of. Empty for a piece of another
   * string: a snapshot does not say which piece.
   */
  textOf(node: number): string {
    if (this.typeOf(node) === "sliced string") return "";
    if (this.typeOf(node) !== "concatenated string") return this.nameOf(node);
    const parts = [this.follow(node, "first"), this.follow(node, "second")];
    return parts.map((part) => (part === undefined || part === node ? "" : this.textOf(part))).join("");
  }

  /** V8's own number for the object, as it stands in names of edges. */
  idOf(node: number): number {
    return this.#sections.nodes[node * this.#nodeWidth + this.#idField] ?? 0;
  }

  placeOf(node: number): FunctionPlace | undefined {
    return this.#places.get(node);
  }

  /** The edges of a node are those from here to `edgesEnd`, which is not one of them. */
  edgesBegin(node: number): number {
    return this.#firstEdge[node] ?? 0;
  }

  edgesEnd(node: number): number {
    return this.#firstEdge[node + 1] ?? 0;
  }

  /** context, element, property, internal, hidden, shortcut, weak */
  edgeType(edge: number): string {
    return this.#edgeTypes[this.#sections.edges[edge * this.#edgeWidth] ?? -1] ?? "";
  }

  /** Name of a property or variable, or an index as text. */
  edgeName(edge: number): string {
    const name = this.#sections.edges[edge * this.#edgeWidth + 1] ?? 0;
    const type = this.edgeType(edge);
    return type === "element" || type === "hidden" ? String(name) : (this.#sections.strings[name] ?? "");
  }

  edgeTarget(edge: number): number {
    return (this.#sections.edges[edge * this.#edgeWidth + 2] ?? 0) / this.#nodeWidth;
  }

  /** The target of the first edge with one of these names. */
  follow(node: number, ...names: readonly string[]): number | undefined {
    for (let edge = this.edgesBegin(node); edge < this.edgesEnd(node); edge++) {
      if (names.includes(this.edgeName(edge))) return this.edgeTarget(edge);
    }
    return undefined;
  }
}
