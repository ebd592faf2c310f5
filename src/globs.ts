/** Globs: which text is one, how it becomes absolute, and which source files it matches. */
import path from "node:path";
import { escapePath, globSync, isDynamicPattern } from "tinyglobby";

/** `src/*.ts` is one, `src/app.ts` and `src` are not. */
export function isGlob(text: string): boolean {
  return isDynamicPattern(text);
}

/** `**` at the front means anywhere, so it stays. A folder named `[id]` above the pattern must not become part of it. */
export function absoluteGlob(pattern: string, folder: string): string {
  if (pattern.startsWith("!")) return `!${absoluteGlob(pattern.slice(1), folder)}`;
  if (pattern.startsWith("**") || path.isAbsolute(pattern)) return pattern;
  return path.posix.join(escapePath(folder), pattern);
}

/** A glob that matches this path, and what is below it when it is a folder. */
export function literalGlob(absolutePath: string): string {
  return escapePath(absolutePath);
}

/**
 * The JavaScript and TypeScript files that absolute globs match, node_modules and declarations aside. Shallow paths
 * come first, then by name, so that base classes in a folder come before its subfolders.
 */
export function matchingSourceFiles(globs: readonly string[]): string[] {
  if (globs.length === 0) return [];
  const files = globSync([...globs], { absolute: true, expandDirectories: true, ignore: ["**/node_modules/**"] });
  const source = files.filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !/\.d\.[cm]?ts$/.test(file));
  const depth = (file: string) => file.split("/").length;
  return source.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
}
