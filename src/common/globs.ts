/** Globs: which text is one, how it becomes absolute, which files it matches, and in which folders more could come. */
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { escapePath, globSync, isDynamicPattern } from "tinyglobby";
import { mayHoldOwnFiles } from "./paths.js";

const IGNORE = ["**/node_modules/**"];

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

/**
 * The absolute glob for a file, folder or glob below `folder`; `!` in front of one takes out what it matches. A path that
 * exists is taken literally, whatever letters it has; so is one that does not exist and is no glob.
 */
export function placedPattern(text: string, folder: string): string {
  if (text.startsWith("!")) return `!${placedPattern(text.slice(1), folder)}`;
  const plain = path.resolve(folder, text);
  if (existsSync(plain)) return escapePath(realpathSync(plain));
  if (!isGlob(text)) return escapePath(plain);
  return path.isAbsolute(text) ? text : path.posix.join(escapePath(folder), text);
}

/** The path that a glob without magic stands for; undefined for one that may match several files. */
export function plainPath(glob: string): string | undefined {
  return glob.startsWith("!") || isDynamicPattern(glob) ? undefined : glob.replaceAll(/\\(.)/g, "$1");
}

/**
 * The JavaScript and TypeScript files that absolute globs match, node_modules and declarations aside: the globs in their
 * order, and what one matches with shallow paths first, then by name, so that base classes in a folder come before its
 * subfolders.
 */
export function matchingSourceFiles(globs: readonly string[]): string[] {
  return matchingFiles(globs).filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !/\.d\.[cm]?ts$/.test(file));
}

/** Files of every kind that absolute globs match, node_modules aside, in the same order; real paths. */
export function matchingFiles(globs: readonly string[]): string[] {
  const refused = globs.filter((glob) => glob.startsWith("!"));
  const depth = (file: string) => file.split("/").length;
  const files = globs.flatMap((glob) => {
    if (glob.startsWith("!")) return [];
    // What is ignored counts below the working folder only, which therefore is the glob's own.
    const { base } = splitGlob(glob);
    const cwd = isFile(base) ? path.dirname(base) : base;
    const found = globSync([glob, ...refused], { cwd, absolute: true, expandDirectories: true, ignore: IGNORE });
    return found.flatMap(realPath).sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  });
  return [...new Set(files)];
}

/** Folders, existing or not, in which a file may come that one of the globs matches. */
export function watchedFolders(globs: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const glob of globs) {
    if (glob.startsWith("!")) continue;
    const { base, deep } = splitGlob(glob);
    // It may go, and come again.
    if (plainPath(glob) !== undefined) folders.add(path.dirname(base));
    if (isFile(base)) continue;
    folders.add(base);
    if (deep) for (const folder of foldersBelow(base)) folders.add(folder);
  }
  return [...folders];
}

/** The path in front of the first part that is no plain name; `deep`: what matches may lie in folders below it. */
function splitGlob(glob: string): { base: string; deep: boolean } {
  const plain = plainPath(glob);
  if (plain !== undefined) return { base: plain, deep: true };
  const parts = glob.split("/");
  const first = parts.findIndex((part) => isDynamicPattern(part));
  const base = parts.slice(0, first).join("/").replaceAll(/\\(.)/g, "$1");
  return { base: base === "" ? "/" : base, deep: parts.length - first > 1 || parts[first] === "**" };
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function* foldersBelow(folder: string): Iterable<string> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || !mayHoldOwnFiles(entry.name)) continue;
    const below = path.join(folder, entry.name);
    yield below;
    yield* foldersBelow(below);
  }
}

/** It may have gone since it was listed. */
function realPath(file: string): string[] {
  try {
    // The one in JavaScript looks at every folder of the path, for each file.
    return [realpathSync.native(file)];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
