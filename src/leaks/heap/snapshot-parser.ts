/**
 * Reads a heap snapshot piece by piece: as one text it may be longer than a string can be, and as JSON values ten times
 * as large as needed. Numbers go to typed arrays; long strings are cut, since only names matter here.
 */
import { HeapGraph, type SnapshotMeta } from "./heap-graph.js";

interface Header {
  readonly meta: SnapshotMeta;
  readonly node_count: number;
  readonly edge_count: number;
}

/** Longer strings lose their end. The longest that matters names both sides of a WeakMap entry. */
const LONGEST_STRING = 2048;

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Where the next byte belongs. */
type State = "between" | "key" | "value" | "header" | "numbers" | "strings" | "string" | "skipped";

export class SnapshotParser {
  #state: State = "between";
  #depth = 0;
  #inString = false;
  #escaped = false;
  #hasEscapes = false;
  #key = "";
  /** Bytes of what is being read: a key, the header, one string. */
  #text: Buffer = Buffer.alloc(1 << 16);
  #length = 0;
  #header: Header | undefined;
  #number = 0;
  #hasDigits = false;
  #numbers: Uint32Array | undefined;
  #count = 0;
  #nodes = new Uint32Array(0);
  #edges = new Uint32Array(0);
  readonly #locations: number[] = [];
  readonly #strings: string[] = [];

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at++) {
      // Nine tenths of a snapshot are numbers.
      if (this.#state === "numbers" && this.#numbers) at = this.#manyNumbers(chunk, at, this.#numbers);
      if (at < chunk.length) this.#byte(chunk[at] ?? 0);
    }
  }

  /** Throws when the snapshot is not complete. */
  end(): HeapGraph {
    const { meta, node_count: nodes, edge_count: edges } = this.#header ?? {};
    if (!meta || this.#state !== "between" || this.#strings.length === 0)
      throw new Error("the heap snapshot is cut off");
    if (this.#nodes.length !== (nodes ?? 0) * meta.node_fields.length) throw new Error("the heap snapshot lacks nodes");
    if (this.#edges.length !== (edges ?? 0) * meta.edge_fields.length) throw new Error("the heap snapshot lacks edges");
    return new HeapGraph({
      meta,
      nodes: this.#nodes,
      edges: this.#edges,
      locations: this.#locations,
      strings: this.#strings,
    });
  }

  #byte(byte: number): void {
    switch (this.#state) {
      case "numbers":
        this.#inNumbers(byte);
        break;
      case "string":
        this.#insideString(byte);
        break;
      case "strings":
        if (byte === QUOTE) this.#beginText("string");
        else if (byte === CLOSE_LIST) this.#state = "between";
        break;
      case "between":
        if (byte === QUOTE) this.#beginText("key");
        break;
      case "key":
        if (byte !== QUOTE) this.#append(byte);
        else {
          this.#key = this.#takeText();
          this.#state = "value";
        }
        break;
      case "value":
        this.#beginValue(byte);
        break;
      case "header":
        this.#inHeader(byte);
        break;
      case "skipped":
        if (byte === OPEN_LIST) this.#depth++;
        else if (byte === CLOSE_LIST && --this.#depth === 0) this.#state = "between";
        break;
      default:
        this.#state satisfies never;
    }
  }

  #beginValue(byte: number): void {
    if (byte === OPEN_OBJECT) {
      this.#beginText("header");
      this.#append(byte);
      this.#depth = 1;
      return;
    }
    if (byte !== OPEN_LIST) return;
    this.#count = 0;
    this.#number = 0;
    this.#hasDigits = false;
    switch (this.#key) {
      case "nodes":
        this.#nodes = new Uint32Array((this.#header?.node_count ?? 0) * (this.#header?.meta.node_fields.length ?? 0));
        this.#numbers = this.#nodes;
        this.#state = "numbers";
        break;
      case "edges":
        this.#edges = new Uint32Array((this.#header?.edge_count ?? 0) * (this.#header?.meta.edge_fields.length ?? 0));
        this.#numbers = this.#edges;
        this.#state = "numbers";
        break;
      case "locations":
        this.#numbers = undefined;
        this.#state = "numbers";
        break;
      case "strings":
        this.#state = "strings";
        break;
      default:
        this.#depth = 1;
        this.#state = "skipped";
    }
  }

  #inNumbers(byte: number): void {
    if (byte >= ZERO && byte <= NINE) {
      this.#number = this.#number * 10 + (byte - ZERO);
      this.#hasDigits = true;
      return;
    }
    if (byte !== COMMA && byte !== CLOSE_LIST) return;
    if (this.#hasDigits) {
      if (this.#numbers) this.#numbers[this.#count++] = this.#number;
      else this.#locations.push(this.#number);
    }
    this.#number = 0;
    this.#hasDigits = false;
    if (byte === CLOSE_LIST) this.#state = "between";
  }

  /** Reads numbers up to the end of the list or of the chunk; gives the offset of what it has not read. */
  #manyNumbers(chunk: Uint8Array, begin: number, numbers: Uint32Array): number {
    let at = begin;
    let number = this.#number;
    let hasDigits = this.#hasDigits;
    let count = this.#count;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte >= ZERO && byte <= NINE) {
        number = number * 10 + (byte - ZERO);
        hasDigits = true;
      } else if (byte === COMMA) {
        if (hasDigits) numbers[count++] = number;
        number = 0;
        hasDigits = false;
      } else if (byte === CLOSE_LIST) break;
    }
    this.#number = number;
    this.#hasDigits = hasDigits;
    this.#count = count;
    return at;
  }

  #insideString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = this.#hasEscapes = true;
    else if (byte === QUOTE) {
      this.#strings.push(this.#hasEscapes ? unescaped(this.#takeText()) : this.#takeText());
      this.#state = "strings";
      return;
    }
    if (this.#length < LONGEST_STRING) this.#append(byte);
  }

  #inHeader(byte: number): void {
    this.#append(byte);
    if (byte === QUOTE) this.#inString = !this.#inString;
    else if (this.#inString) return;
    else if (byte === OPEN_OBJECT) this.#depth++;
    else if (byte === CLOSE_OBJECT && --this.#depth === 0) {
      this.#header = JSON.parse(this.#takeText()) as Header;
      this.#state = "between";
    }
  }

  #beginText(state: State): void {
    this.#state = state;
    this.#length = 0;
    this.#escaped = this.#hasEscapes = this.#inString = false;
  }

  #append(byte: number): void {
    if (this.#length === this.#text.length) {
      const larger = Buffer.alloc(this.#text.length * 2);
      this.#text.copy(larger);
      this.#text = larger;
    }
    this.#text[this.#length++] = byte;
  }

  /** V8 escapes all that is not ASCII. */
  #takeText(): string {
    return this.#text.toString("latin1", 0, this.#length);
  }
}

/** The text of a JSON string, whose end may have been cut off in the middle of an escape. */
function unescaped(text: string): string {
  const cut = /(?:^|[^\\])(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)$/.exec(text)?.[1] ?? "";
  return JSON.parse(`"${text.slice(0, text.length - cut.length)}"`) as string;
}
