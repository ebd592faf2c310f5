/** The app's own main file, for commands that need it: the one that is named, or the one that is found. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { OptionError } from "../../common/errors.js";
import { findEntry } from "./find-entry.js";

/**
 * Relative to the project at `root`, with slashes. `given` is relative to the working folder.
 * @throws OptionError when it is not there, or none is found.
 */
export function projectEntry(command: string, given: string | undefined, root: string): string {
  const isFile = (file: string): boolean => attempt(() => statSync(file))?.isFile() === true;
  if (given !== undefined) {
    const file = path.resolve(given);
    if (isFile(file)) return path.relative(root, file).split(path.sep).join("/");
    throw new OptionError(`${command}: entry ${given}: there is no such file; name the app's own main file`);
  }
  const text = attempt(() => readFileSync(path.join(root, "package.json"), "utf8"));
  const found = findEntry({ manifest: manifestOf(text), has: (file) => isFile(path.join(root, file)) });
  if (found !== undefined) return found;
  const example = `unreloader ${command} src/main.ts`;
  throw new OptionError(`${command}: no entry was found in ${root}: name the app's own main file, ${example}`);
}

function manifestOf(text: string | undefined): Parameters<typeof findEntry>[0]["manifest"] {
  if (text === undefined) return {};
  try {
    return (JSON.parse(text) ?? {}) as object;
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
