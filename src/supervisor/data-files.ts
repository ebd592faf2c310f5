/** Files and folders that modules read and listed while they were evaluated. */
import path from "node:path";
import type { PendingChanges } from "./pending.js";

interface Uses {
  readonly reads: ReadonlySet<string>;
  readonly lists: ReadonlySet<string>;
}

export class DataFiles {
  /** Module -> what its present version used; replaced at each evaluation, gone with `forget`. Modules that used nothing have no entry. */
  readonly #uses = new Map<string, Uses>();
  /** Files that the app has written itself, for as long as its thread lives. */
  readonly #written = new Set<string>();

  evaluated(module: string, reads: readonly string[], lists: readonly string[]): void {
    if (reads.length + lists.length === 0) this.#uses.delete(module);
    else this.#uses.set(module, { reads: new Set(reads), lists: new Set(lists) });
  }

  forget(module: string): void {
    this.#uses.delete(module);
  }

  written(file: string): void {
    this.#written.add(file);
  }

  writes(file: string): boolean {
    return this.#written.has(file);
  }

  readersOf({ changed, added, deleted }: Pick<PendingChanges, "changed" | "added" | "deleted">): string[] {
    if (this.#uses.size === 0) return [];
    const files = [...changed, ...deleted].filter((file) => !this.#written.has(file));
    const folders = [...added, ...deleted].filter((file) => !this.#written.has(file)).map((file) => path.dirname(file));
    return [...this.#uses]
      .filter(
        ([, { reads, lists }]) => files.some((file) => reads.has(file)) || folders.some((folder) => lists.has(folder)),
      )
      .map(([module]) => module);
  }
}
