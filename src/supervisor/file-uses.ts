/** Files and folders that modules read and listed while they were evaluated. */
import path from "node:path";
import type { PendingChanges } from "./pending.js";

/** Its changes are looked at when the next request comes, long before as many others are written. */
const KEPT_WRITTEN = 10_000;

interface Uses {
  /** With those of `started`. */
  readonly reads: ReadonlySet<string>;
  /** What is evaluated elsewhere. */
  readonly started?: ReadonlySet<string>;
  readonly lists: ReadonlySet<string>;
}

export class FileUses {
  /** Module -> what its present version used; replaced at each evaluation, gone with `forget`. Modules that used nothing have no entry. */
  readonly #uses = new Map<string, Uses>();
  /** Files and folders that packages used while they were loaded, once in the life of the thread. */
  readonly #usedByPackages = new Set<string>();
  /** Files that the app has written itself, the newest of them: clients may upload any number. */
  readonly #written = new Set<string>();

  evaluated(module: string, reads: readonly string[], lists: readonly string[]): void {
    if (reads.length + lists.length === 0) this.#uses.delete(module);
    else this.#uses.set(module, { reads: new Set(reads), lists: new Set(lists) });
  }

  /** What the present version has started (a thread, a process) evaluates these files. To be called after `evaluated`. */
  started(module: string, files: readonly string[]): void {
    const { reads = [], started = [], lists = new Set<string>() } = this.#uses.get(module) ?? {};
    const uses = { reads: new Set([...reads, ...files]), started: new Set([...started, ...files]), lists };
    this.#uses.set(module, uses);
  }

  /** Whether what a module has started evaluates the file. */
  isStarted(file: string): boolean {
    return [...this.#uses.values()].some(({ started }) => started?.has(file));
  }

  /** Packages used these files and folders while they were loaded. */
  usedByPackages(used: Iterable<string>): void {
    for (const file of used) this.#usedByPackages.add(file);
  }

  /** Whether the pending changes concern what a package has used. */
  concernPackages({ changed, added, deleted }: Pick<PendingChanges, "changed" | "added" | "deleted">): boolean {
    if (this.#usedByPackages.size === 0) return false;
    const isUsed = (file: string) => this.#usedByPackages.has(file) && !this.#written.has(file);
    const isListed = (file: string) => this.#usedByPackages.has(path.dirname(file)) && !this.#written.has(file);
    return [...changed, ...deleted].some(isUsed) || [...added, ...deleted].some(isListed);
  }

  /** Files that the present version of a module has read. */
  readsOf(module: string): Iterable<string> {
    return this.#uses.get(module)?.reads ?? [];
  }

  /** Files that the present version of a module, or a package, has read. */
  get reads(): Set<string> {
    const read = new Set(this.#usedByPackages);
    for (const { reads } of this.#uses.values()) for (const file of reads) read.add(file);
    return read;
  }

  /** Whether somebody has listed this folder. */
  lists(folder: string): boolean {
    return this.#usedByPackages.has(folder) || [...this.#uses.values()].some(({ lists }) => lists.has(folder));
  }

  forget(module: string): void {
    this.#uses.delete(module);
  }

  written(file: string): void {
    // The thread tells of it each time: what is written again is new.
    this.#written.delete(file);
    this.#written.add(file);
    const [oldest] = this.#written;
    if (oldest !== undefined && this.#written.size > KEPT_WRITTEN) this.#written.delete(oldest);
  }

  writes(file: string): boolean {
    return this.#written.has(file);
  }

  /** Modules that the pending changes concern, each with the first changed file that it read or found in a folder. */
  readersOf({ changed, added, deleted }: Pick<PendingChanges, "changed" | "added" | "deleted">): Map<string, string> {
    const readers = new Map<string, string>();
    if (this.#uses.size === 0) return readers;
    const read = [...changed, ...deleted].filter((file) => !this.#written.has(file));
    const addedOrDeleted = [...added, ...deleted].filter((file) => !this.#written.has(file));
    for (const [module, { reads, lists }] of this.#uses) {
      const cause =
        read.find((file) => reads.has(file)) ?? addedOrDeleted.find((file) => lists.has(path.dirname(file)));
      if (cause !== undefined) readers.set(module, cause);
    }
    return readers;
  }
}
