/** Symbolic links on the way to a file: when one is pointed elsewhere, specifiers lead elsewhere, though no file has changed. */
import { lstatSync, readlinkSync } from "node:fs";
import path from "node:path";

/** As the system has it. */
const MOST_LINKS = 40;
/** What a specifier may leave out, or stand for. */
const EXTENSIONS = [".js", ".ts", ".json", ".mjs", ".cjs", ".mts", ".cts", ".jsx", ".tsx", ".node"];
const EXTENSION = /\.(?:[cm]?[jt]sx?|json|node)$/;

/** Whether the way from `target`, which may lack an extension, to the real file that was `found` may cross a link. */
export function mayCrossLinks(target: string, found: string): boolean {
  const isBelow = found.startsWith(target + path.sep) || found.startsWith(`${target}.`);
  return found !== target && !isBelow && withoutExtension(found) !== withoutExtension(target);
}

/** Links that are crossed on the way to what `target` may mean. `real`: a folder that is known to be no link, nor below one. */
export function linksTo(target: string, real: string): string[] {
  const short = withoutExtension(target);
  const forms = [target, ...EXTENSIONS.map((extension) => short + extension)];
  const indexes = EXTENSIONS.map((extension) => path.join(target, `index${extension}`));
  return [...new Set([...forms, ...indexes].flatMap((form) => linksOn(form, real)))];
}

/** Those on the way to this very path. Links that lead to links count, too. */
export function linksOn(file: string, real: string, most = MOST_LINKS): string[] {
  let at = sharedFolder(file, real);
  const rest = path.relative(at, file).split(path.sep);
  for (const [index, name] of rest.entries()) {
    const next = path.join(at, name);
    const target = most > 0 ? targetOf(next) : undefined;
    if (target === undefined) return [];
    if (target !== next) {
      const behind = path.join(path.resolve(at, target), ...rest.slice(index + 1));
      return [next, ...linksOn(behind, real, most - 1)];
    }
    at = next;
  }
  return [];
}

/** The path itself when it is no link; undefined when it is not there. */
function targetOf(file: string): string | undefined {
  try {
    const stats = lstatSync(file, { throwIfNoEntry: false });
    return stats?.isSymbolicLink() ? readlinkSync(file) : stats && file;
  } catch (error) {
    // Not to be looked at.
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

function sharedFolder(one: string, other: string): string {
  let folder = path.dirname(one);
  while (folder !== other && !other.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)) {
    if (path.dirname(folder) === folder) break;
    folder = path.dirname(folder);
  }
  return folder;
}

function withoutExtension(file: string): string {
  return file.replace(EXTENSION, "");
}
