/** Colours for a few lines of JavaScript or TypeScript: which parts of a text are comments, strings, words. Pure. */

export type TokenKind = "comment" | "string" | "number" | "keyword" | "name" | "other";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const KEYWORDS = new Set(
  `abstract any as asserts async await boolean break case catch class const continue debugger declare default delete do else
  enum export extends false finally for from function get if implements import in infer instanceof interface is keyof let
  namespace never new null number object of override private protected public readonly return satisfies set static string
  super switch symbol this throw true try type typeof undefined unknown using var void while with yield`.split(/\s+/),
);

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?|`(?:[^`\\]|\\[\s\S])*`?/y;
const NUMBER = /(?:0[xob][\da-f_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:e[+-]?\d+)?)n?/iy;
const WORD = /[\p{L}_$#@][\p{L}\p{N}_$]*/uy;
const PATTERN = /\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const SPACE = /\s+/y;

/** The tokens of `text`, which together are `text`. What is in a template is a string as a whole. */
export function sourceTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  /** Whether a slash would begin a pattern here: no value stands before it. */
  let beforeValue = true;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const token = next(take, beforeValue) ?? { kind: "other" as const, text: text[at] ?? "" };
    at += token.text.length;
    if (token.kind !== "comment" && token.text.trim() !== "") beforeValue = isBeforeValue(token);
    tokens.push(token);
  }
  return tokens;
}

function next(take: (pattern: RegExp) => string | undefined, beforeValue: boolean): Token | undefined {
  const space = take(SPACE);
  if (space !== undefined) return { kind: "other", text: space };
  const comment = take(COMMENT);
  if (comment !== undefined) return { kind: "comment", text: comment };
  const string = take(STRING) ?? (beforeValue ? take(PATTERN) : undefined);
  if (string !== undefined) return { kind: "string", text: string };
  const number = take(NUMBER);
  if (number !== undefined) return { kind: "number", text: number };
  const word = take(WORD);
  return word === undefined ? undefined : { kind: KEYWORDS.has(word) ? "keyword" : "name", text: word };
}

function isBeforeValue({ kind, text }: Token): boolean {
  if (kind === "keyword") return !/^(?:this|super|null|true|false|undefined)$/.test(text);
  return kind === "other" && !/[)\]}]$/.test(text);
}

/** The tokens of each line: one that goes over several is in each of them. */
export function tokenLines(text: string): Token[][] {
  const lines: Token[][] = [[]];
  for (const token of sourceTokens(text)) {
    for (const [index, part] of token.text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (part !== "") lines.at(-1)?.push({ kind: token.kind, text: part });
    }
  }
  return lines;
}
