/** Where in a source text something is imported. Pure. */
import { positionAt, type TextPosition } from "../../src/common/compile/code-frame.js";

/** Where `name` is imported from `specifier`, or else where the specifier stands, or the file's start. */
export function findImport(source: string, specifier: string, name: string): TextPosition {
  const quoted = new RegExp(`\\bfrom\\s*(["'])${escapePattern(specifier)}\\1`, "g");
  for (const found of source.matchAll(quoted)) {
    const start = Math.max(source.lastIndexOf("import", found.index), source.lastIndexOf("export", found.index));
    if (start < 0) continue;
    const names = source.slice(start, found.index);
    const offset = names.search(new RegExp(`(?<![\\w$])${escapePattern(name)}(?![\\w$])`));
    if (offset >= 0) return positionAt(source, start + offset);
    if (name === "default") return positionAt(source, start);
  }
  const at = source.search(quoted);
  return positionAt(source, Math.max(0, at));
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
