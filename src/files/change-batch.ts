/** What was seen of files, as changes. Pure: what is seen comes in, nothing is read here. */
import { type Content, EMPTY, MISSING } from "./content.js";

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
  { file, config, isLink }: { readonly file: string; readonly config: boolean; readonly isLink?: boolean },
  before: Content,
  now: Content,
): FileChange | undefined {
  if (before === now) return undefined;
  if (isLink) return { file, kind: "relinked", mayBeHalfSaved: now === MISSING };
  const mayBeHalfSaved = now === MISSING || now === EMPTY;
  if (config) return { file, kind: "config", mayBeHalfSaved };
  if (now === MISSING) return { file, kind: "deleted", mayBeHalfSaved };
  return { file, kind: before === MISSING ? "added" : "changed", mayBeHalfSaved };
}

/** Two batches, one after the other, as one: each file at most once, and none that is as it was before. */
export function mergeChanges(earlier: readonly FileChange[], later: readonly FileChange[]): FileChange[] {
  const merged = new Map(earlier.map((change) => [change.file, change]));
  for (const change of later) {
    const before = merged.get(change.file);
    const kind = before ? mergeKinds(before.kind, change.kind) : change.kind;
    if (kind === undefined) merged.delete(change.file);
    else merged.set(change.file, { ...change, kind });
  }
  return [...merged.values()];
}

/** Undefined: added and gone again. Gone and added again is a change, because the text may be another. */
function mergeKinds(earlier: ChangeKind, later: ChangeKind): ChangeKind | undefined {
  if (earlier === "config" || later === "config") return "config";
  if (earlier === "relinked" || later === "relinked") return "relinked";
  if (earlier === "added") return later === "deleted" ? undefined : "added";
  return later === "deleted" ? "deleted" : "changed";
}
