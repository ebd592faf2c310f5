/**
 * Knows all files that the running app was made from, and tells which have changed. Events only mark; what has really
 * changed is decided by looking (stat, then content) at the moment a request asks.
 */
import { realpathSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { descriptorReserve } from "../common/compile/descriptor-reserve.js";
import { isLargeMark, PRESENT } from "../common/compile/hash.js";
import { MID_SAVE_MS } from "../common/deadlines.js";
import { mayHoldOwnFiles } from "../common/paths.js";
import { BackgroundLook } from "./background-look.js";
import { type FileChange, mergeChanges } from "./change-batch.js";
import { type Disk, lookAgain, MISSING, realDisk, type Sight } from "./content.js";
import { EventTrust, type EventTrustOptions } from "./event-trust.js";
import type { Folder, KnownFile } from "./folder.js";
import { FolderWatches } from "./folder-watches.js";
import { ignoreFilter } from "./ignore.js";
import { emptyListing, takeListing } from "./listing.js";
import { Looks, MANY_FORMS } from "./looks.js";
import { errorCode } from "./stamps.js";

export interface FileRegistryOptions extends EventTrustOptions {
  readonly root: string;
  /** Globs, relative to `root` or absolute. */
  readonly ignore: readonly string[];
  /** Called synchronously when something is marked, within the event loop turn in which its event arrives. */
  readonly onStale: () => void;
  /** Whether what has come to a tracked folder may matter; absent: always. What is in listed folders does in any case. */
  readonly concerns?: (file: string) => boolean;
  /** Least time between two automatic checks, in milliseconds; Infinity: none. */
  readonly cooldownMs?: number;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  readonly disk?: Disk;
}

/** More events than this between two checks: the kernel's queue (16,384) may have overflowed, which it tells nobody. */
const OVERFLOW = 8192;
/** How often to look whether a save that has begun is over. */
const SAVE_STEP_MS = 2;
export class FileRegistry {
  readonly #options: FileRegistryOptions;
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #cooldownMs: number;
  readonly #isIgnored: (file: string) => boolean;
  readonly #trust: EventTrust;
  readonly #watches: FolderWatches;
  readonly #looks: Looks;
  /** Whatever was compiled has been read after this time. */
  readonly #since: number;
  /** Key: path. Born in `track` and `trackConfig`, dead in `untrack`. */
  readonly #files = new Map<string, KnownFile>();
  /** Since the last check. */
  #events = 0;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #background: BackgroundLook | undefined;
  #closed = false;
  readonly #started: Promise<void>;

  constructor(options: FileRegistryOptions) {
    this.#options = options;
    descriptorReserve.open();
    this.#disk = options.disk ?? realDisk;
    this.#now = options.clock ?? Date.now;
    this.#cooldownMs = options.cooldownMs ?? 0;
    this.#isIgnored = ignoreFilter(options.root, options.ignore);
    this.#since = this.#now();
    this.#trust = new EventTrust(options);
    this.#watches = new FolderWatches({
      root: options.root,
      disk: this.#disk,
      watch: this.#trust.watch,
      isPrompt: (folder) => this.#trust.isPrompt(folder),
      onEntry: (folder, name, renamed) => this.#onEntry(folder, name, renamed),
      onFolder: (folder) => this.#markFolder(folder),
      onEstablished: (folder) => {
        if (this.#looks.scan(folder)) options.onStale();
      },
      onRefused: (_folder, error) => this.#trust.refused(error),
    });
    this.#looks = new Looks({
      disk: this.#disk,
      now: this.#now,
      watches: this.#watches,
      isIgnored: this.#isIgnored,
      concerns: options.concerns,
    });
    this.#started = this.#start();
  }

  /**
   * Own files that are in the graph now, each with the hash of the text that was compiled, so that a file that was saved
   * between being read and being watched is found. Without a hash, or with PRESENT: what is there now counts as known.
   */
  track(files: Iterable<{ readonly file: string; readonly hash: string | undefined }>): void {
    for (const { file, hash } of files) {
      const known = this.#files.get(file);
      if (!known) this.#add(file, hash, "source");
      else if (!known.isFile) this.#takeFor(known, hash);
      else if (hash === PRESENT) this.#expectPresence(known);
      else if (hash !== undefined && hash !== known.reported) this.#expect(known, hash);
    }
  }

  /** package.json, lockfiles, tsconfig, env files, existing or not: whatever happens to one is of the kind `config`. */
  trackConfig(files: Iterable<string>): void {
    for (const file of files) {
      const known = this.#files.get(file);
      if (!known) this.#add(file, undefined, "config");
      else {
        known.config = true;
        if (!known.isFile) this.#takeFor(known, undefined);
      }
    }
  }

  /** Symbolic links that specifiers cross, or the app asks about. They stay: there are as many as the app has. */
  trackLinks(links: Iterable<string>): void {
    for (const link of links) {
      const known = this.#files.get(link);
      if (known) known.link ??= this.#disk.link(link);
      else this.#add(link, undefined, "link");
    }
  }

  /**
   * Folders, existing or not, where an added file could change where a specifier leads: what comes there is `added`, also
   * in folders that come there.
   */
  trackFolders(folders: Iterable<string>): void {
    for (const folder of folders)
      if (!this.#isIgnored(folder) && !this.#comesByItself(folder)) this.#trackFolder(folder);
  }

  /** Folders that the app has listed: whatever comes there is `added`, and `deleted` when it goes. */
  trackListed(folders: Iterable<string>): void {
    for (const folder of folders) {
      if (this.#isIgnored(folder)) continue;
      this.#trackFolder(folder);
      const { listing } = this.#watches.need(folder);
      if (listing) listing.isAppsOwn = true;
    }
  }

  /** As `trackFolders`, until `untrackForNow` is called; what is tracked otherwise stays. */
  trackForNow(folders: Iterable<string>): void {
    for (const folder of folders)
      if (!this.#isIgnored(folder) && !this.#comesByItself(folder)) this.#trackFolder(folder, true);
  }

  /** What was tracked for now, and by nobody else. */
  untrackForNow(folders: Iterable<string>): void {
    for (const path of folders) {
      const folder = this.#watches.get(path);
      if (folder?.listing?.isForNow) this.#looks.release(folder);
    }
  }

  has(file: string): boolean {
    return this.#files.has(file);
  }

  /** Whether it decides how the app is started. */
  isConfig(file: string): boolean {
    return this.#files.get(file)?.config === true;
  }

  /** Hash of a file's text as it was last seen, or what stands for it; undefined: it is not tracked. Of a large one its size. */
  contentOf(file: string): string | undefined {
    const { content } = this.#files.get(file)?.sight ?? {};
    return content !== undefined && isLargeMark(content) ? content.slice(0, content.lastIndexOf(":")) : content;
  }

  /** What counts as configuration stays. */
  untrack(files: Iterable<string>): void {
    for (const file of files) {
      const known = this.#files.get(file);
      if (!known || known.config || known.link !== undefined) continue;
      this.#files.delete(file);
      this.#looks.files.delete(known);
      known.folder.files.delete(path.basename(file));
      this.#watches.drop(known.folder);
    }
  }

  /**
   * Whether a check may find something. Asked for each request: a few nanoseconds where events are prompt; elsewhere a
   * look at all files (2 to 6 ms for 2000), at most once in a cooldown.
   */
  stale(): boolean {
    if (this.#cooldownMs > 0 && this.#now() - this.#checkedAt < this.#cooldownMs) return false;
    if (this.#looks.any) return true;
    return this.#watches.doubtful.size > 0 && this.#scanDoubtful();
  }

  /** Looks at all that is marked. Each change is reported once: what is on the disk now is what the next check compares with. */
  check(): FileChange[] {
    this.#checkedAt = this.#now();
    this.#events = 0;
    return this.#looks.take();
  }

  /**
   * As `check`, but a file that is gone or empty gets 25 ms to come back with text, since many editors save in two
   * steps. A request can wait for that; to answer it from the half-saved file or from the old code would both be wrong.
   */
  async checkWhenSaved(): Promise<FileChange[]> {
    const deadline = this.#now() + MID_SAVE_MS;
    let changes = this.check();
    while (!this.#closed && changes.some((change) => change.mayBeHalfSaved) && this.#now() < deadline) {
      await delay(SAVE_STEP_MS);
      changes = mergeChanges(changes, this.check());
    }
    return changes;
  }

  /** Files that looks since the last call have found written with the text that they had. */
  takeSavedAgain(): string[] {
    const files = [...this.#looks.savedAgain];
    this.#looks.savedAgain.clear();
    return files;
  }

  /** Marks everything: for a check that must not rely on events. */
  markAll(): void {
    for (const known of this.#files.values()) this.#looks.files.add(known);
    for (const folder of this.#watches.all()) {
      if (!folder.listing) continue;
      folder.listing.sight = undefined;
      this.#looks.folders.add(folder);
    }
  }

  /** Marks what differs now from what was last reported, whether or not an event has told so. */
  lookAtAll(): void {
    for (const folder of this.#watches.all()) this.#looks.scan(folder);
    if (this.#looks.any) this.#options.onStale();
  }

  /** Whether something waits for a check, cooldown or not. */
  get isMarked(): boolean {
    return this.#looks.any;
  }

  /** Folders that are watched, or would be if they were there. */
  get folderCount(): number {
    return [...this.#watches.all()].length;
  }

  /** A file that has come and was said to matter to nobody does after all. */
  reconsider(file: string): void {
    const folder = this.#watches.get(path.dirname(file));
    const name = path.basename(file);
    if (!folder?.listing?.names.delete(name)) return;
    folder.listing.arrived.add(name);
    this.#looks.folders.add(folder);
    this.#options.onStale();
  }

  /** Resolves when all watches stand. Before that, files are looked at for each request. */
  async ready(): Promise<void> {
    await this.#started;
    await this.#watches.ready();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) descriptorReserve.close();
    this.#closed = true;
    this.#background?.stop();
    this.#watches.close();
    this.#files.clear();
    this.#looks.files.clear();
    this.#looks.folders.clear();
    await this.#started;
    // The system lets go of a closed watch in the next turn.
    await nextTurn();
  }

  /** Events tell of changes below `folder` as soon as they are made. */
  hasPromptEvents(folder: string): boolean {
    return this.#trust.isPrompt(folder);
  }

  async #start(): Promise<void> {
    const promptness = await this.#trust.probe();
    if (this.#closed) return;
    if (promptness === "none") this.#watches.stopWatching();
    if (promptness === "prompt") this.#watches.judgeAgain();
    this.#background = new BackgroundLook(() => {
      if (this.#watches.doubtful.size > 0 && this.stale()) this.#options.onStale();
    }, this.#cooldownMs);
  }

  #add(file: string, hash: string | undefined, kind: "source" | "config" | "link"): void {
    if (this.#isIgnored(file)) return;
    const folder = this.#watches.need(path.dirname(file));
    const isFile = kind !== "link";
    const link = isFile ? undefined : this.#disk.link(file);
    const sight = isFile ? this.#sightOf(file, hash) : undefined;
    const reported = sight?.content ?? MISSING;
    const known: KnownFile = { file, folder, config: kind === "config", isFile, link, reported, sight };
    this.#files.set(file, known);
    folder.files.set(path.basename(file), known);
    if ((link ?? reported) !== MISSING) folder.listing?.names.add(path.basename(file));
    if (hash === PRESENT) this.#expectPresence(known);
    // Events of before are lost. Where folders are not watched yet, a look comes anyway.
    else if (hash !== undefined && folder.state === "watched" && this.#looks.look(known)) this.#mark(known);
    if (kind === "config") this.#addTarget(file);
  }

  #sightOf(file: string, hash: string | undefined): Sight {
    if (hash !== undefined && hash !== PRESENT) return { content: hash, time: this.#since };
    return lookAgain(file, undefined, this.#disk, this.#now());
  }

  /** What was known as a link only is a file for somebody, too. */
  #takeFor(known: KnownFile, hash: string | undefined): void {
    known.isFile = true;
    known.sight = this.#sightOf(known.file, hash);
    known.reported = known.sight.content;
    if (hash === PRESENT) this.#expectPresence(known);
    else if (hash !== undefined) this.#mark(known);
  }

  #trackFolder(path: string, isForNow = false): void {
    const folder = this.#watches.need(path);
    if (folder.listing) {
      folder.listing.isForNow &&= isForNow;
      return;
    }
    folder.listing = emptyListing(isForNow);
    if (folder.state !== "missing") takeListing(folder, folder.listing, this.#disk, this.#now());
  }

  /**
   * Whether the folder is not there, and will be gone into when it comes. So it is with most that are asked for: they
   * are targets of specifiers, taken as folders.
   */
  #comesByItself(folder: string): boolean {
    const above = this.#watches.get(path.dirname(folder));
    const name = path.basename(folder);
    if (!above?.listing?.sight || !mayHoldOwnFiles(name)) return false;
    if (!above.listing.names.has(name)) return !above.listing.arrived.has(name);
    return this.#disk.look(folder).type !== "folder";
  }

  /** A config file may be a symbolic link (`.env` to a shared one): saving its target changes it. */
  #addTarget(file: string): void {
    let target = file;
    try {
      target = realpathSync(file);
    } catch (error) {
      errorCode(error);
    }
    if (target !== file && !this.#files.has(target)) this.#add(target, undefined, "config");
  }

  /** The app has found something there, and nothing of it is known but that. */
  #expectPresence(known: KnownFile): void {
    if (known.reported !== MISSING) return;
    known.reported = PRESENT;
    this.#mark(known);
  }

  /** The app runs another text than was last reported. */
  #expect(known: KnownFile, hash: string): void {
    known.reported = hash;
    if (known.sight?.content === hash) return;
    // Data that is code as well, or code that is data only by now: it is looked at as what it is from here on.
    if (known.sight && isLargeMark(known.sight.content) !== isLargeMark(hash))
      known.sight = { content: hash, time: this.#since };
    this.#mark(known);
  }

  #mark(known: KnownFile): void {
    this.#looks.files.add(known);
    this.#options.onStale();
  }

  #markFolder(folder: Folder): void {
    this.#looks.markContents(folder);
    if (folder.listing) folder.listing.sight = undefined;
    if (folder.files.size > 0 || folder.listing) this.#options.onStale();
  }

  #onEntry(folder: Folder, name: string, renamed: boolean): void {
    if (++this.#events === OVERFLOW) this.markAll();
    const known = folder.files.get(name);
    const { listing } = folder;
    if (listing && (renamed || !listing.names.has(name)) && !this.#looks.isUnrelated(folder, listing, name)) {
      listing.arrived.add(name);
      this.#looks.folders.add(folder);
    }
    if (known) this.#mark(known);
    else if (MANY_FORMS.test(name)) this.#markFolder(folder);
    else if (listing?.arrived.has(name)) this.#options.onStale();
  }

  #scanDoubtful(): boolean {
    this.#checkedAt = this.#now();
    for (const folder of this.#watches.doubtful) this.#looks.scan(folder);
    return this.#looks.any;
  }
}
