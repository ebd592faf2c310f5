/** Which modules may resolve differently after files were added or deleted. Pure. */
import path from "node:path";
import type { PreparedModule } from "../common/compile/compiled-module.js";

/**
 * Files with a specifier that ends in the name of one of `files`, or of its folder when it is an index file or a
 * package.json. Resolving all specifiers of 2000 modules again would take 60 ms; nearly all of them cannot be meant.
 */
export function relinkCandidates(modules: Iterable<PreparedModule>, files: Iterable<string>): Set<string> {
  const names = new Set<string>();
  for (const file of files) {
    const name = stem(path.basename(file));
    names.add(name);
    if (name === "index" || name === "package") names.add(stem(path.basename(path.dirname(file))));
  }
  const found = new Set<string>();
  if (names.size === 0) return found;
  for (const { compiled } of modules) {
    const specifiers = [...compiled.imports.map((record) => record.specifier), ...compiled.requires];
    if (specifiers.some((specifier) => mayMean(specifier, names))) found.add(compiled.file);
  }
  return found;
}

function mayMean(specifier: string, names: ReadonlySet<string>): boolean {
  const last = path.posix.basename(specifier);
  // `.` and `..` name a folder by where the importer lies; `dir/` and `#dir` say nothing about the file's name.
  return names.has(stem(last)) || last === "." || last === ".." || last.startsWith("#");
}

/** A file's name, or the last part of a specifier, without an extension that a specifier may leave out. */
export function stem(name: string): string {
  return name.replace(/(\.d)?\.[cm]?[jt]sx?$|\.json$/, "");
}
