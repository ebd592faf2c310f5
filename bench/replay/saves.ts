/** Which saves a commit is, as an editor would do them. Pure. */
import type { Change, TreeEntry } from "./repository.js";

export type Save =
  | { readonly kind: "delete"; readonly path: string }
  /** `rename`: written beside the file and renamed over it, as careful editors do; `in place`: truncated and written. */
  | { readonly kind: "write"; readonly path: string; readonly entry: TreeEntry; readonly way: "rename" | "in place" };

/**
 * What is written comes first, in the order of the paths, so that a file that was moved is there before it is gone; but
 * what is in the way of a file or folder to write goes first. Every second file is written by rename.
 */
export function planSaves(changes: readonly Change[]): Save[] {
  const wanted = changes.filter(({ path }) => !isLeftOut(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const written = wanted.flatMap(({ entry }) => entry ?? []);
  const gone = wanted.filter(({ entry }) => entry === undefined).map(({ path }) => path);
  const isInTheWay = (path: string) =>
    written.some((entry) => entry.path.startsWith(`${path}/`) || path.startsWith(`${entry.path}/`));
  const remove = (path: string): Save => ({ kind: "delete", path });
  return [
    ...gone.filter(isInTheWay).map(remove),
    ...written.map(
      (entry, index): Save => ({
        kind: "write",
        path: entry.path,
        entry,
        way: index % 2 === 0 ? "rename" : "in place",
      }),
    ),
    ...gone.filter((path) => !isInTheWay(path)).map(remove),
  ];
}

const LOCK_FILES = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?)$/;

/** The packages are those that the caller has installed, whatever the commit says, so its lockfile is not saved. */
function isLeftOut(path: string): boolean {
  return LOCK_FILES.test(path) || path.split("/").includes("node_modules");
}
