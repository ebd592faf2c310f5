/** Folders that are watched for what late specifiers of the app may mean: those of the newest. */
import { LATE_LOOKUPS_IN_MAIN, NewestKeys } from "../common/protocol/late-lookups.js";
import type { FileRegistry } from "./registry.js";

export class LateFolders {
  readonly #registry: Pick<FileRegistry, "trackForNow" | "untrackForNow">;
  /** Lists of folders, as text. */
  readonly #newest: NewestKeys;
  /** Folder -> number of those lists that it is in; an entry goes with the last of them. */
  readonly #uses = new Map<string, number>();

  constructor(registry: Pick<FileRegistry, "trackForNow" | "untrackForNow">, limit = LATE_LOOKUPS_IN_MAIN) {
    this.#registry = registry;
    this.#newest = new NewestKeys(limit);
  }

  /** `folders`: where an added file would change where one specifier leads. */
  add(folders: readonly string[]): void {
    if (folders.length === 0) return;
    const added = this.#newest.add(folders.join(SEPARATOR));
    if (!added) return;
    for (const folder of folders) this.#uses.set(folder, (this.#uses.get(folder) ?? 0) + 1);
    this.#registry.trackForNow(folders);
    if (added.forgotten !== undefined) this.#untrack(added.forgotten.split(SEPARATOR));
  }

  #untrack(folders: readonly string[]): void {
    for (const folder of folders) {
      const uses = (this.#uses.get(folder) ?? 0) - 1;
      if (uses > 0) this.#uses.set(folder, uses);
      else {
        this.#uses.delete(folder);
        this.#registry.untrackForNow([folder]);
      }
    }
  }
}

/** In no path. */
const SEPARATOR = "\0";
