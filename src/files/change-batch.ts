/** What was seen of files, as changes. Pure: what is seen comes in, nothing is read here. */
import { type Content, EMPTY, FOLDER, MISSING } from "./content.js";

export type ChangeKind = "changed" | "added" | "deleted" | "config" | "relinked";

export interface FileChange {
  readonly file: string;
  /**
   * `config`: the file decides how the app is started (package.json, lockfile, tsconfig, env file); whatever happened to it.
   * `relinked`: it is a symbolic link, or was one, that leads elsewhere now.
   */
  readonly kind: ChangeKind;
  /** It was emptied or is gone: it may be between the two steps of a save. */
  readonly mayBeHalfSaved: boolean;
}

/** How a file differs from what was last reported of it; undefined when it does not. */
export function changeBetween(
  { file, config }: { readonly file: string; readonly config: boolean },
  before: Content,
  now: Content,
): FileChange | undefined {
  if (before === now) return undefined;
  const mayBeHalfSaved = now === MISSING || now === EMPTY;
  if (config) return { file, kind: "config", mayBeHalfSaved };
  // A folder in the place of a file is no file any more.
  if (now === MISSING || (now === FOLDER && before !== MISSING)) return { file, kind: "deleted", mayBeHalfSaved };
  return { file, kind: before === MISSING || before === FOLDER ? "added" : "changed", mayBeHalfSaved };
}

/** The same of where a symbolic link leads. */
export function linkChange(link: string, before: Content, now: Content): FileChange | undefined {
  return before === now ? undefined : { file: link, kind: "relinked", mayBeHalfSaved: now === MISSING };
}

/** Two batches, one after the other, as one: each file (and each link) at most once, and none that is as it was before. */
export function mergeChanges(earlier: readonly FileChange[], later: readonly FileChange[]): FileChange[] {
  const merged = new Map(earlier.map((change) => [keyOf(change), change]));
  for (const change of later) {
    const key = keyOf(change);
    const before = merged.get(key);
    const kind = before ? mergeKinds(before.kind, change.kind) : change.kind;
    if (kind === undefined) merged.delete(key);
    else merged.set(key, { ...change, kind });
  }
  return [...merged.values()];
}

/** A link that leads elsewhere may be a file with another text as well. */
function keyOf({ file, kind }: FileChange): string {
  return kind === "relinked" ? `${file}\0` : file;
}

/** Undefined: added and gone again. Gone and added again is a change, because the text may be another. */
function mergeKinds(earlier: ChangeKind, later: ChangeKind): ChangeKind | undefined {
  if (earlier === "config" || later === "config") return "config";
  if (later === "relinked") return "relinked";
  if (earlier === "added") return later === "deleted" ? undefined : "added";
  return later === "deleted" ? "deleted" : "changed";
}
