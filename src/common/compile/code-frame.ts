/** Places in a text, as editors count them, and the few lines around one. Pure. */

export interface TextPosition {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
}

const lineBreak = /\r\n|[\n\r\u2028\u2029]/g;

/** Where `offset` (UTF-16 units, 0-based) lies in `text`. */
export function positionAt(text: string, offset: number): TextPosition {
  let line = 1;
  let lineStart = 0;
  for (const found of text.matchAll(lineBreak)) {
    const next = found.index + found[0].length;
    if (next > offset) break;
    line++;
    lineStart = next;
  }
  return { line, column: offset - lineStart + 1 };
}

/** Two lines before, the line itself with a caret under the column, one line after; with line numbers. */
export function codeFrame(text: string, position: TextPosition): string {
  const lines = text.split(lineBreak);
  const first = Math.max(1, position.line - 2);
  const last = Math.min(lines.length, position.line + 1);
  const width = String(last).length;
  const frame: string[] = [];
  for (let line = first; line <= last; line++) {
    const content = lines[line - 1] ?? "";
    const mark = line === position.line ? ">" : " ";
    frame.push(`${mark} ${String(line).padStart(width)} | ${content}`.trimEnd());
    if (line !== position.line) continue;
    // Tabs stay tabs, so that the caret lands under its column whatever their width.
    const indent = content.slice(0, position.column - 1).replace(/[^\t]/g, " ");
    frame.push(`  ${" ".repeat(width)} | ${indent}^`);
  }
  return frame.join("\n");
}
