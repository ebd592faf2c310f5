/** Merges what was seen of many files into changes. Pure: what is seen comes in, nothing is read here. */
import { type Content, EMPTY, MISSING } from "./content.js";

export type ChangeKind = "changed" | "added" | "deleted" | "config";

export interface FileChange {
  readonly file: string;
  /** `config`: the file decides how the app is started (package.json, lockfile, tsconfig, env file); whatever happened to it. */
  readonly kind: ChangeKind;
  /** It was emptied or is gone: it may be between the two steps of a save. */
  readonly mayBeHalfSaved: boolean;
}

/** How a file differs from what was last reported of it; undefined when it does not. */
export function changeBetween(file: string, before: Content, now: Content, config: boolean): FileChange | undefined {
  if (before === now) return undefined;
  const mayBeHalfSaved = now === MISSING || now === EMPTY;
  if (config) return { file, kind: "config", mayBeHalfSaved };
  if (now === MISSING) return { file, kind: "deleted", mayBeHalfSaved };
  return { file, kind: before === MISSING ? "added" : "changed", mayBeHalfSaved };
}
