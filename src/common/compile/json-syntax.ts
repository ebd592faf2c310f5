/** Where a JSON text goes wrong: JSON.parse tells the place only in some versions of Node, and only for some errors. */
import { SyntaxProblem } from "./syntax-tree.js";

/** Undefined when `text` is valid JSON. */
export function findJsonProblem(text: string): SyntaxProblem | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const scan = new JsonScan(text);
  const offset = scan.value(scan.space(0));
  const end = offset < 0 ? ~offset : scan.space(offset);
  const found = text[end];
  const message = found === undefined ? "Unexpected end of JSON input" : `Unexpected ${JSON.stringify(found)} in JSON`;
  return new SyntaxProblem(message, end);
}

const space = /[ \t\n\r]*/y;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const stringPart = /(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;

/** Each method gives the offset after what it read, or the complement (`~`) of the offset that is wrong. */
class JsonScan {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }

  space(offset: number): number {
    return this.#match(space, offset) ?? offset;
  }

  value(offset: number): number {
    switch (this.#text[offset]) {
      case "{":
        return this.#list(offset, "}", (at) => {
          const name = this.#text[at] === '"' ? this.#string(at) : ~at;
          if (name < 0) return name;
          const colon = this.space(name);
          return this.#text[colon] === ":" ? this.value(this.space(colon + 1)) : ~colon;
        });
      case "[":
        return this.#list(offset, "]", (at) => this.value(at));
      case '"':
        return this.#string(offset);
      default:
        return this.#match(scalar, offset) ?? ~offset;
    }
  }

  #list(open: number, close: string, element: (offset: number) => number): number {
    let offset = this.space(open + 1);
    if (this.#text[offset] === close) return offset + 1;
    for (;;) {
      const end = element(offset);
      if (end < 0) return end;
      offset = this.space(end);
      if (this.#text[offset] === close) return offset + 1;
      if (this.#text[offset] !== ",") return ~offset;
      offset = this.space(offset + 1);
    }
  }

  #string(open: number): number {
    const end = this.#match(stringPart, open + 1) ?? open + 1;
    return this.#text[end] === '"' ? end + 1 : ~end;
  }

  #match(pattern: RegExp, offset: number): number | undefined {
    pattern.lastIndex = offset;
    return pattern.test(this.#text) ? pattern.lastIndex : undefined;
  }
}
