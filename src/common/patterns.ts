/** Arguments of `require`, `autoload`, `recordDependency` and `recordSplitClass`, wherever they are called. */
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { ArgumentError } from "./errors.js";
import { isGlob, placedPattern } from "./globs.js";

/** A file, folder or glob, or several; `!` in front of one takes out what the others match. */
export type Patterns = string | URL | readonly (string | URL)[];

/** Names of classes, `auto` for those that the file is found to define. */
export type ClassNames = string | readonly string[];

/** What is done with the files that are loaded by `require`. */
export interface RequireOptions {
  /** Called once with the absolute path of a file that was deleted, after its purge. */
  readonly onDelete?: ((file: string) => unknown) | undefined;
  /** Names the classes of each file, in place of those that are found. */
  readonly classes?: "auto" | ((file: string) => ClassNames) | undefined;
}

/**
 * Absolute globs of paths that start from `folder`.
 * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) for what is no path.
 */
export function placedPatterns(call: string, given: unknown, folder: string): string[] {
  return [given].flat(3).map((one) => placedPattern(textOf(call, one), folder));
}

/** The same, of which a plain path must lead somewhere. */
export function existingPatterns(call: string, given: unknown, folder: string): string[] {
  for (const one of [given].flat(3)) {
    const text = textOf(call, one);
    const target = path.resolve(folder, text);
    if (!text.startsWith("!") && !isGlob(text) && !existsSync(target))
      throw new ArgumentError(`${call}(${inspect(text)}): there is no such file or folder: ${target}`);
  }
  return placedPatterns(call, given, folder);
}

/** The one path that is meant, existing or not. */
export function placedPath(call: string, given: unknown, folder: string): string {
  return path.resolve(folder, textOf(call, given));
}

/** Both sides of a recorded dependency. */
export function placedDependency(call: string, [first, ...rest]: readonly unknown[], folder: string) {
  if (rest.flat(3).length === 0)
    throw new ArgumentError(`${call}(${inspect(first)}): no files that depend on it are given`);
  return { dependency: placedPatterns(call, first, folder), files: placedPatterns(call, rest, folder) };
}

/** @throws ArgumentError when an option does not fit. */
export function checkRequireOptions(call: string, { onDelete, classes }: RequireOptions): void {
  if (onDelete !== undefined && typeof onDelete !== "function")
    throw new ArgumentError(`${call}(): onDelete must be a function, not ${inspect(onDelete)}`);
  if (classes !== undefined && classes !== "auto" && typeof classes !== "function")
    throw new ArgumentError(`${call}(): classes must be "auto" or a function, not ${inspect(classes)}`);
}

/** What a function `classes` or `nameOf` has given; undefined for `auto`. */
export function givenNames(call: string, file: string, given: unknown): readonly string[] | undefined {
  if (given === "auto") return undefined;
  const names = given === undefined || given === null ? [] : [given].flat();
  for (const name of names) {
    if (typeof name !== "string" || name === "")
      throw new ArgumentError(`${call}(): the name of ${file} must be a string, not ${inspect(name)}`);
  }
  return names as string[];
}

function textOf(call: string, given: unknown): string {
  if (given instanceof URL && given.protocol === "file:") return fileURLToPath(given);
  if (typeof given === "string" && given !== "") return given;
  throw new ArgumentError(`${call}(): expected a file, a folder or a glob, or a list of them, not ${inspect(given)}`);
}
