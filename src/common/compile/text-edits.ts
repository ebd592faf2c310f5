/** Replacements in a text, collected in any order and applied at once. Ranges must not overlap. */

export interface TextEdit {
  /** Offset of the first replaced character. */
  readonly start: number;
  /** Offset after the last replaced character; equal to `start` for an insertion. */
  readonly end: number;
  readonly text: string;
}

export class TextEdits {
  readonly #edits: TextEdit[] = [];

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text });
  }

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  /** In order of place; edits at the same place in the order in which they were made. */
  sorted(): readonly TextEdit[] {
    return this.#edits.sort((a, b) => a.start - b.start || a.end - b.end);
  }

  applyTo(text: string): string {
    if (this.#edits.length === 0) return text;
    let result = "";
    let copied = 0;
    for (const edit of this.sorted()) {
      result += text.slice(copied, edit.start) + edit.text;
      copied = edit.end;
    }
    return result + text.slice(copied);
  }
}

const visible = /[^\r\n\u2028\u2029]/g;

/** As many blanks and line breaks as `text` has, so that what follows keeps its line and column. */
export function blanked(text: string): string {
  return text.replace(visible, " ");
}

const trivia = /(?:\s+|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\/)*/y;

/** The first offset at or after `offset` that is neither white space nor comment. */
export function skipTrivia(text: string, offset: number): number {
  trivia.lastIndex = offset;
  trivia.exec(text);
  return trivia.lastIndex;
}

/** Where the name would stand in an anonymous `[async] function [*] (` that begins at `start`. */
export function functionNameOffset(text: string, start: number): number {
  let offset = start;
  if (text.startsWith("async", offset)) offset = skipTrivia(text, offset + "async".length);
  offset += "function".length;
  const star = skipTrivia(text, offset);
  return text[star] === "*" ? star + 1 : offset;
}
