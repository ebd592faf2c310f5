/** The lines around the place of an error: more of them than in the terminal, as long as the file is as it was then. Pure. */
import type { SourceLocation } from "../common/protocol/serialized-error.js";
import { type Token, tokenLines } from "./source-tokens.js";

export interface SourceExcerpt {
  readonly lines: readonly ExcerptLine[];
  /** What stands before the column on the marked line, with its tabs. */
  readonly indent: string;
}

export interface ExcerptLine {
  readonly number: number;
  readonly isMarked: boolean;
  readonly tokens: readonly Token[];
}

const LINES_AROUND = 6;
const LINES_AROUND_CALL = 3;
const LINE_BREAK = /\r\n|[\n\r\u2028\u2029]/;

/** `text`: what the file holds now; undefined when it cannot be read. Undefined without a frame. */
export function sourceExcerpt(
  frame: string | undefined,
  location: SourceLocation | undefined,
  text: string | undefined,
): SourceExcerpt | undefined {
  if (frame === undefined || location === undefined) return undefined;
  const framed = linesOfFrame(frame);
  const marked = framed.find(({ number }) => number === location.line);
  if (marked === undefined) return undefined;
  const indent = marked.text.slice(0, location.column - 1).replace(/[^\t]/g, " ");
  const present = text?.split(LINE_BREAK);
  const isSame = present?.[location.line - 1]?.trimEnd() === marked.text.trimEnd();
  if (present === undefined || !isSame) {
    const tokens = tokenLines(framed.map((line) => line.text).join("\n"));
    return { lines: framed.map(({ number }, index) => lineAt(number, tokens[index], location)), indent };
  }
  return { lines: linesAround(location, tokenLines(present.join("\n")), LINES_AROUND), indent };
}

/** The lines around a place of which no frame was taken, as the file is now; undefined: it has no such line. */
export function excerptAt(location: SourceLocation, text: string | undefined): SourceExcerpt | undefined {
  const present = text?.split(LINE_BREAK);
  const line = present?.[location.line - 1];
  if (present === undefined || line === undefined) return undefined;
  const indent = line.slice(0, location.column - 1).replace(/[^\t]/g, " ");
  return { lines: linesAround(location, tokenLines(present.join("\n")), LINES_AROUND_CALL), indent };
}

function linesAround(location: SourceLocation, tokens: readonly Token[][], around: number): ExcerptLine[] {
  const from = Math.max(1, location.line - around);
  const to = Math.min(tokens.length, location.line + around);
  return Array.from({ length: to - from + 1 }, (_, index) => lineAt(from + index, tokens[from + index - 1], location));
}

function lineAt(number: number, tokens: readonly Token[] | undefined, { line }: SourceLocation): ExcerptLine {
  return { number, isMarked: number === line, tokens: tokens ?? [] };
}

/** The lines of a frame as src/common/compile/code-frame.ts writes it, without the one of the caret. */
function linesOfFrame(frame: string): { readonly number: number; readonly text: string }[] {
  return frame.split("\n").flatMap((line) => {
    const [, number, text = ""] = /^[> ] *(\d+) \|(?: (.*))?$/.exec(line) ?? [];
    return number === undefined ? [] : [{ number: Number(number), text }];
  });
}
