/**
 * Style sheets and pages below the root that the app serves or reads at each request: no module is made from them, so they are
 * watched for nothing else. Only while somebody looks at a page of the app with `--live`.
 */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { mayHoldOwnFiles } from "../common/paths.js";
import { type FolderWatch, watchFolder } from "./watcher.js";

const PAGE_FILE = /\.(?:css|html?|ejs|eta|hbs|handlebars|liquid|mustache|njk|pug)$/i;
/** An editor saves in several steps. */
const QUIET_MS = 30;
const MOST_FOLDERS = 5000;
/** Each page that is loaded asks for a look. */
const LOOK_MS = 5000;
/** How often known files are looked at where no events tell of them. */
const POLL_MS = 1000;

export interface PageFilesOptions {
  readonly root: string;
  isIgnored(file: string): boolean;
  /** Events tell of changes below the root as soon as they are made. */
  hasEvents(): boolean;
  /** What the app writes itself is no edit. */
  writes(file: string): boolean;
  /** For tests; absent: by the system's events. */
  readonly watch?: typeof watchFolder;
}

export class PageFiles {
  readonly #options: PageFilesOptions;
  /** Folders with such files, while they are there. */
  readonly #watches = new Map<string, FolderWatch>();
  /** With such files, whether they are watched or not. */
  readonly #folders = new Set<string>();
  /** File -> what tells one version of it from another. */
  readonly #stamps = new Map<string, string>();
  /** Folders in which something has happened. */
  readonly #marked = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  onChange: (files: readonly string[]) => void = () => {};

  constructor(options: PageFilesOptions) {
    this.#options = options;
  }

  /** Begins to watch what is there now. */
  async look(): Promise<void> {
    if (this.#looking === undefined && performance.now() - this.#lookedAt < LOOK_MS) return;
    this.#looking ??= this.#walk().finally(() => {
      this.#looking = undefined;
      this.#lookedAt = performance.now();
    });
    await this.#looking;
  }

  /** Looks without events, where there are none, as long as `isWanted`. */
  lookWhile(isWanted: () => boolean): void {
    this.#poll ??= setInterval(() => {
      if (!isWanted() || this.#isClosed) {
        clearInterval(this.#poll);
        this.#poll = undefined;
      } else if (!this.#options.hasEvents()) {
        void this.look();
        for (const folder of this.#folders) this.#mark(folder);
      }
    }, POLL_MS).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  async #walk(): Promise<void> {
    const folders = [this.#options.root];
    for (let index = 0; index < Math.min(folders.length, MOST_FOLDERS) && !this.#isClosed; index++) {
      const folder = folders[index] ?? "";
      const entries = await entriesOf(folder);
      for (const entry of entries) {
        const file = path.join(folder, entry.name);
        if (entry.isDirectory() && mayHoldOwnFiles(entry.name) && !this.#options.isIgnored(file)) folders.push(file);
      }
      if (!this.#watches.has(folder) && entries.some(({ name }) => PAGE_FILE.test(name))) {
        if (!this.#folders.has(folder)) await this.#changedIn(folder);
        this.#folders.add(folder);
        this.#watch(folder);
      }
    }
  }

  #watch(folder: string): void {
    if (this.#isClosed) return;
    const end = (): void => void this.#watches.delete(folder);
    const watch = (this.#options.watch ?? watchFolder)(folder, {
      event: (name) => {
        if (name === undefined || PAGE_FILE.test(name)) this.#mark(folder);
      },
      // What was saved before is found by its stamp.
      established: () => this.#mark(folder),
      missing: end,
      failed: end,
    });
    this.#watches.set(folder, watch);
  }

  #mark(folder: string): void {
    this.#marked.add(folder);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tell(), QUIET_MS).unref();
  }

  async #tell(): Promise<void> {
    const folders = [...this.#marked];
    this.#marked.clear();
    const changed = (await Promise.all(folders.map((folder) => this.#changedIn(folder)))).flat();
    const edited = changed.filter((file) => !this.#options.writes(file) && !this.#options.isIgnored(file));
    if (edited.length > 0 && !this.#isClosed) this.onChange(edited);
  }

  /** Files that are others than at the last call. One that is empty is being saved. */
  async #changedIn(folder: string): Promise<string[]> {
    const names = (await entriesOf(folder)).map(({ name }) => name).filter((name) => PAGE_FILE.test(name));
    const changed: string[] = [];
    for (const name of names) {
      const file = path.join(folder, name);
      const { mtimeMs, size } = await stat(file).catch(() => ({ mtimeMs: 0, size: 0 }));
      const stamp = `${mtimeMs} ${size}`;
      if (size === 0 || this.#stamps.get(file) === stamp) continue;
      this.#stamps.set(file, stamp);
      changed.push(file);
    }
    return changed;
  }
}

function entriesOf(folder: string): Promise<Dirent[]> {
  // It may have gone.
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
