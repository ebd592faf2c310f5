/**
 * Files that modules read while they were evaluated, as far as they are watched for nothing else. What no present version
 * reads any more goes, now and then: an app may make up new names at each evaluation.
 */
import type { FileRegistry } from "./registry.js";

/** Fewer are not worth a look. */
const FIRST_SWEEP = 100;

export class UsedFiles {
  readonly #registry: Pick<FileRegistry, "has" | "track" | "untrack">;
  /** From the first read until `sweep` finds nobody who reads it. */
  readonly #files = new Set<string>();
  #sweepAt = FIRST_SWEEP;

  constructor(registry: Pick<FileRegistry, "has" | "track" | "untrack">) {
    this.#registry = registry;
  }

  /** `hash`: of what was read. */
  track(files: readonly { readonly file: string; readonly hash: string | undefined }[]): void {
    for (const { file } of files) if (!this.#registry.has(file)) this.#files.add(file);
    this.#registry.track(files);
  }

  /** `inUse` gives all files that somebody needs; it is asked only when there are many. */
  sweep(inUse: () => ReadonlySet<string>): void {
    if (this.#files.size < this.#sweepAt) return;
    const needed = inUse();
    const gone = [...this.#files].filter((file) => !needed.has(file));
    for (const file of gone) this.#files.delete(file);
    this.#registry.untrack(gone);
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#files.size);
  }
}
