/** Changes that have been noticed and not applied yet: they stay here while the newest code is broken. */
import type { FileChange } from "../files/change-batch.js";

export class PendingChanges {
  /** Saved and added files; an entry dies when a plan with it was applied, or when the file is as the worker has it. */
  readonly changed = new Set<string>();
  /** Files that are gone, likewise. */
  readonly deleted = new Set<string>();
  /** Files added since the last plan: each may change where a specifier leads. */
  readonly added = new Set<string>();
  /** Files that took back what they had accepted (`invalidate`): their importers are loaded again; with true they are, too. */
  readonly invalidated = new Map<string, boolean>();
  /** Files whose change only a fresh worker can take in. */
  readonly config = new Set<string>();

  /** Symbolic links that lead elsewhere now: so may specifiers that cross them. */
  readonly relinked = new Set<string>();

  get empty(): boolean {
    const { changed, deleted, config, invalidated, relinked } = this;
    return changed.size + deleted.size + config.size + invalidated.size + relinked.size === 0;
  }

  /** Specifiers may lead elsewhere. */
  get changesLookups(): boolean {
    return this.added.size + this.deleted.size + this.relinked.size > 0;
  }

  /** Files that were added and that nobody may have waited for count, too. */
  get isNothing(): boolean {
    return this.empty && this.added.size === 0;
  }

  /** Takes in what has come later. */
  take(later: PendingChanges): void {
    for (const file of later.deleted) {
      this.deleted.add(file);
      this.changed.delete(file);
      this.added.delete(file);
    }
    for (const file of later.changed) {
      this.changed.add(file);
      this.deleted.delete(file);
    }
    for (const file of later.added) this.added.add(file);
    for (const file of later.config) this.config.add(file);
    for (const file of later.relinked) this.relinked.add(file);
    for (const [file, again] of later.invalidated) this.invalidated.set(file, again);
  }

  merge(changes: Iterable<FileChange>): void {
    for (const { file, kind } of changes) {
      switch (kind) {
        case "config":
          this.config.add(file);
          break;
        case "relinked":
          this.relinked.add(file);
          break;
        case "deleted":
          this.deleted.add(file);
          this.changed.delete(file);
          this.added.delete(file);
          break;
        case "added":
          this.added.add(file);
          this.changed.add(file);
          this.deleted.delete(file);
          break;
        case "changed":
          this.changed.add(file);
          this.deleted.delete(file);
          break;
        default:
          kind satisfies never;
      }
    }
  }

  /** Everything, for a report: in the same order however the changes were noticed. */
  all(): string[] {
    return [this.config, this.changed, this.deleted, this.relinked].flatMap((files) => [...files].sort());
  }

  clear(): void {
    this.changed.clear();
    this.deleted.clear();
    this.added.clear();
    this.invalidated.clear();
    this.config.clear();
    this.relinked.clear();
  }
}
