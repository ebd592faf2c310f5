/** Keeps a watch on each folder that exists, through removals, moves and returns, and knows which ones can be relied on. */
import type { Disk } from "./content.js";
import { Folder, type FolderState, folderAbove } from "./folder.js";
import type { WatchFolder } from "./watcher.js";

export interface FolderWatchesOptions {
  readonly root: string;
  readonly disk: Disk;
  /** undefined: no events, everything stays `unwatched`. */
  readonly watch: WatchFolder | undefined;
  /** Whether events of this folder come in time. Asked when its watch stands. */
  readonly isPrompt: (folder: string) => boolean;
  /** Something happened to the entry `name` of a folder. */
  readonly onEntry: (folder: Folder, name: string, renamed: boolean) => void;
  /** Anything in the folder may have changed: it was moved, removed, made, or an event did not say what it is about. */
  readonly onFolder: (folder: Folder) => void;
  /** Events arrive from now on; what happened before has to be looked for. */
  readonly onEstablished: (folder: Folder) => void;
  /** The system refused to watch a folder; it is looked at on each request from now on. */
  readonly onRefused: (folder: Folder, error: Error) => void;
}

export class FolderWatches {
  readonly #options: FolderWatchesOptions;
  #watch: WatchFolder | undefined;
  /** Key: path. A folder is born when it, or one below it, is first needed; it dies when nothing needs it any more. */
  readonly #folders = new Map<string, Folder>();
  /** Folders whose changes no event is sure to tell: looked at on each request. Kept in step with their states. */
  readonly doubtful = new Set<Folder>();
  #opening = 0;
  #whenOpen: Array<() => void> = [];
  #closed = false;

  constructor(options: FolderWatchesOptions) {
    this.#options = options;
    this.#watch = options.watch;
  }

  get(folder: string): Folder | undefined {
    return this.#folders.get(folder);
  }

  all(): Iterable<Folder> {
    return this.#folders.values();
  }

  /** The folder in the tree; made, with those above it, and watched when it is not there yet. */
  need(folder: string): Folder {
    const known = this.#folders.get(folder);
    if (known) return known;
    const pathAbove = folderAbove(folder, this.#options.root);
    const above = pathAbove === undefined ? undefined : this.need(pathAbove);
    const made = new Folder(folder, above);
    above?.below.set(made.name, made);
    this.#folders.set(folder, made);
    this.open(made);
    return made;
  }

  /** Forgets a folder that nothing needs any more, and then those above it. */
  drop(folder: Folder): void {
    if (folder.files.size + folder.below.size > 0 || folder.listing) return;
    if (!this.#folders.delete(folder.path)) return;
    this.#end(folder);
    this.doubtful.delete(folder);
    if (!folder.above) return;
    folder.above.below.delete(folder.name);
    this.drop(folder.above);
  }

  /** Watches the folder again: what was watched under this path may be another folder by now, or gone. */
  open(folder: Folder): void {
    this.#end(folder);
    if (this.#closed) return;
    if (!this.#exists(folder)) this.#become(folder, "missing");
    else if (this.#watch) this.#establish(folder, this.#watch);
    else this.#become(folder, "unwatched");
    folder.identity = this.#identity(folder);
  }

  /** Watches folders right below that were missing and have come without an event, a topmost one likewise; returns them. */
  openReturned(folder: Folder): Folder[] {
    const returned: Folder[] = [];
    const candidates = folder.above ? folder.below.values() : [folder, ...folder.below.values()];
    for (const candidate of candidates) {
      if (candidate.state !== "missing" || !this.#exists(candidate)) continue;
      for (const below of candidate.subtree()) {
        this.open(below);
        returned.push(below);
      }
    }
    return returned;
  }

  /**
   * Something in the folder has changed: perhaps it was removed as a whole, and made again. No event tells that of a folder
   * that is the working folder of some process, ours among them: the system keeps it. Then it is watched again.
   */
  verify(folder: Folder): void {
    let replaced: Folder | undefined;
    for (let above: Folder | undefined = folder; above; above = above.above) {
      if (above.state !== "missing" && this.#identity(above) !== above.identity) replaced = above;
    }
    if (replaced) this.#moved(replaced, true);
  }

  /** Events turned out to be useless. */
  stopWatching(): void {
    if (!this.#watch) return;
    this.#watch = undefined;
    for (const folder of this.#folders.values()) this.open(folder);
  }

  /** Asks again, for each watched folder, whether its events come in time. */
  judgeAgain(): void {
    for (const folder of this.#folders.values()) {
      if (folder.state === "watched" || folder.state === "late") this.#judge(folder);
    }
  }

  /** Resolves when no watch is being established. */
  async ready(): Promise<void> {
    while (this.#opening > 0) await new Promise<void>((resolve) => this.#whenOpen.push(resolve));
  }

  close(): void {
    this.#closed = true;
    for (const folder of this.#folders.values()) this.#end(folder);
    this.#folders.clear();
    this.doubtful.clear();
  }

  #establish(folder: Folder, watch: WatchFolder, tries = 3): void {
    this.#become(folder, "opening");
    this.#opening++;
    folder.identity = this.#identity(folder);
    folder.watch = watch(folder.path, {
      event: (name, renamed) => this.#event(folder, name, renamed),
      established: () => {
        this.#opened();
        this.#judge(folder);
      },
      missing: () => {
        this.#opened();
        this.#settleMissing(folder, watch, tries);
      },
      failed: (error) => {
        if (folder.state === "opening") this.#opened();
        this.#become(folder, "unwatched");
        this.#options.onRefused(folder, error);
      },
    });
  }

  /**
   * The watch found no folder; by now there may be one, and the folder above may have begun to be watched too late to
   * tell. Looking at it in this very turn leaves no gap: what comes after it, comes with an event.
   */
  #settleMissing(folder: Folder, watch: WatchFolder, tries: number): void {
    folder.watch = undefined;
    if (!this.#exists(folder)) this.#become(folder, "missing");
    else if (tries > 1) this.#establish(folder, watch, tries - 1);
    else this.#become(folder, "unwatched");
    this.#options.onFolder(folder);
  }

  #event(folder: Folder, name: string | undefined, renamed: boolean): void {
    if (name !== undefined) {
      this.#options.onEntry(folder, name, renamed);
      const below = folder.below.get(name);
      if (below && renamed) this.#moved(below, renamed);
    }
    // A folder reports on itself under its own name.
    if (name === undefined || name === folder.name) this.#moved(folder, renamed);
  }

  #moved(folder: Folder, renamed: boolean): void {
    for (const below of folder.subtree()) {
      this.#options.onFolder(below);
      if (renamed) this.open(below);
    }
  }

  #judge(folder: Folder): void {
    this.#become(folder, this.#options.isPrompt(folder.path) ? "watched" : "late");
    this.#options.onEstablished(folder);
  }

  #exists(folder: Folder): boolean {
    return folder.above?.state !== "missing" && this.#options.disk.look(folder.path).type === "folder";
  }

  /** Another one when another folder has taken its place; undefined: there is none. */
  #identity(folder: Folder): number | undefined {
    const look = this.#options.disk.look(folder.path);
    return look.type === "folder" ? look.stamp.ino : undefined;
  }

  #become(folder: Folder, state: FolderState): void {
    folder.state = state;
    // Of a missing folder, the one above tells when it comes.
    if (state === "watched" || (state === "missing" && folder.above)) this.doubtful.delete(folder);
    else this.doubtful.add(folder);
  }

  #end(folder: Folder): void {
    if (folder.state === "opening" && folder.watch) this.#opened();
    folder.watch?.close();
    folder.watch = undefined;
  }

  #opened(): void {
    this.#opening--;
    if (this.#opening > 0) return;
    for (const resolve of this.#whenOpen.splice(0)) resolve();
  }
}
