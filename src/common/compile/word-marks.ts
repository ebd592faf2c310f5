/** Where a text has words that matter to a walk of its tree, so that the rest of the tree need not be walked. */
import { DECORATION_MARK } from "./class-registration.js";

export class WordMarks {
  /** Ascending; undefined when escapes may hide words. */
  readonly #marks: readonly number[] | undefined;

  /** `tracked`: names that matter besides the syntax that always does. */
  constructor(text: string, tracked: ReadonlySet<string>) {
    this.#marks = marksIn(text, tracked);
  }

  /** False when nothing between two offsets can matter. */
  anyIn(start: number, end: number): boolean {
    const marks = this.#marks;
    if (!marks) return true;
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((marks[middle] ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    const next = marks[low];
    return next !== undefined && next < end;
  }
}

/** Offsets of those words (in comments and strings as well), ascending; undefined when escapes may hide some. */
function marksIn(text: string, tracked: ReadonlySet<string>): number[] | undefined {
  // An escape in a name (`\u0061`) hides it from a search of the text.
  if (text.includes("\\u")) return undefined;
  const marks: number[] = [];
  // By indexOf: one regular expression for all words is ten times as slow.
  const addAll = (word: string): void => {
    for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + word.length)) {
      if (!continuesWord(text, at - 1) && !continuesWord(text, at + word.length)) marks.push(at);
    }
  };
  for (const word of ["await", "using", "import", "class", "accessor"]) addAll(word);
  for (const word of tracked) addAll(word);
  for (const part of ["@", DECORATION_MARK]) {
    for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) marks.push(at);
  }
  return marks.sort((a, b) => a - b);
}

/** Whether an ASCII letter, digit, `_` or `$` stands at `offset`. Other letters need no care: a mark too many is harmless. */
function continuesWord(text: string, offset: number): boolean {
  const code = text.charCodeAt(offset);
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 36
  );
}
