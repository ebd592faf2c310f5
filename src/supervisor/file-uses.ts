/** Files and folders that modules read and listed while they were evaluated. */
import path from "node:path";
import type { LoadedModule } from "../common/protocol/messages.js";
import type { PendingChanges } from "./pending.js";

/** Its changes are looked at when the next request comes, long before as many others are written. */
const KEPT_WRITTEN = 10_000;

interface Uses {
  /** With those of `started`. */
  readonly reads: ReadonlySet<string>;
  /** Only whether they are there. */
  readonly looks?: ReadonlySet<string>;
  /** Symbolic links of which was asked where they lead. */
  readonly links?: ReadonlySet<string>;
  /** What is evaluated elsewhere. */
  readonly started?: ReadonlySet<string>;
  readonly lists: ReadonlySet<string>;
}

type Changes = Pick<PendingChanges, "changed" | "added" | "deleted" | "relinked">;

export class FileUses {
  /** Module -> what its present version used; replaced at each evaluation, gone with `forget`. Modules that used nothing have no entry. */
  readonly #uses = new Map<string, Uses>();
  /** Files and folders that packages used while they were loaded, once in the life of the thread. */
  readonly #usedByPackages = new Set<string>();
  /** Of those, the ones of which they only asked whether they are there. */
  readonly #lookedAtByPackages = new Set<string>();
  /** Files that the app has written itself, the newest of them: clients may upload any number. */
  readonly #written = new Set<string>();

  evaluated(
    module: string,
    {
      reads,
      looks = [],
      links = [],
      lists,
      usedByPackages = [],
    }: Pick<LoadedModule, "reads" | "looks" | "links" | "lists" | "usedByPackages">,
  ): void {
    const looked = new Set(looks.map(({ file }) => file));
    if (reads.length + looked.size + links.length + lists.length === 0) this.#uses.delete(module);
    else {
      const read = new Set(reads.map(({ file }) => file));
      const others = { ...(looked.size > 0 && { looks: looked }), ...(links.length > 0 && { links: new Set(links) }) };
      this.#uses.set(module, { reads: read, ...others, lists: new Set(lists) });
    }
    for (const file of usedByPackages) {
      if (!looked.has(file)) this.#lookedAtByPackages.delete(file);
      else if (!this.#usedByPackages.has(file)) this.#lookedAtByPackages.add(file);
      this.#usedByPackages.add(file);
    }
  }

  /** What the present version has started (a thread, a process) evaluates these files. To be called after `evaluated`. */
  started(module: string, files: readonly string[]): void {
    const { reads = [], started = [], lists = new Set<string>(), ...others } = this.#uses.get(module) ?? {};
    const now = { reads: new Set([...reads, ...files]), started: new Set([...started, ...files]), lists };
    this.#uses.set(module, { ...others, ...now });
  }

  /** Whether what a module has started evaluates the file. */
  isStarted(file: string): boolean {
    return [...this.#uses.values()].some(({ started }) => started?.has(file));
  }

  /** Whether the pending changes concern what a package has used. */
  concernPackages({ changed, added, deleted, relinked }: Changes): boolean {
    if (this.#usedByPackages.size === 0) return false;
    const isUsed = (file: string) =>
      this.#usedByPackages.has(file) &&
      !this.#written.has(file) &&
      !(this.#lookedAtByPackages.has(file) && !added.has(file) && !deleted.has(file));
    const isListed = (file: string) => this.#usedByPackages.has(path.dirname(file)) && !this.#written.has(file);
    if ([...relinked].some((link) => this.#usedByPackages.has(link) && !this.#written.has(link))) return true;
    return [...changed, ...deleted].some(isUsed) || [...added, ...deleted].some(isListed);
  }

  /** Files that the present version of a module has read. */
  readsOf(module: string): Iterable<string> {
    return this.#uses.get(module)?.reads ?? [];
  }

  /** Files that the present version of a module, or a package, has read or looked at. */
  get reads(): Set<string> {
    const read = new Set(this.#usedByPackages);
    for (const { reads, looks = [] } of this.#uses.values())
      for (const files of [reads, looks]) for (const file of files) read.add(file);
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
  readersOf({ changed, added, deleted, relinked }: Changes): Map<string, string> {
    const readers = new Map<string, string>();
    if (this.#uses.size === 0) return readers;
    const read = [...changed, ...deleted].filter((file) => !this.#written.has(file));
    const addedOrDeleted = [...added, ...deleted].filter((file) => !this.#written.has(file));
    const linked = [...relinked].filter((link) => !this.#written.has(link));
    for (const [module, { reads, looks, links, lists }] of this.#uses) {
      const cause =
        read.find((file) => reads.has(file)) ??
        addedOrDeleted.find((file) => looks?.has(file) || lists.has(path.dirname(file))) ??
        linked.find((link) => links?.has(link));
      if (cause !== undefined) readers.set(module, cause);
    }
    return readers;
  }
}
