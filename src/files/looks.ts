/**
 * Looks at files and folders, and finds what has come, gone or changed since the last look; what an event has marked, or may
 * have missed, is looked at.
 */
import path from "node:path";
import { mayHoldOwnFiles } from "../common/paths.js";
import { changeBetween, type FileChange, linkChange } from "./change-batch.js";
import { type Content, type Disk, lookAgain, MISSING, type Sight } from "./content.js";
import type { Folder, KnownFile, Listing } from "./folder.js";
import type { FolderWatches } from "./folder-watches.js";
import { emptyListing, listAgain } from "./listing.js";
import { sameStamp } from "./stamps.js";

/** Names that the system may report in another Unicode form than the one they are known by. */
export const MANY_FORMS = /[^\0-\x7f]/;

export interface LooksOptions {
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  now(): number;
  readonly watches: FolderWatches;
  isIgnored(file: string): boolean;
  /** Whether what has come to a tracked folder may matter; absent: always. */
  readonly concerns?: ((file: string) => boolean) | undefined;
}

export class Looks {
  readonly #with: LooksOptions;
  /** Files to be looked at by the next `take`, because of an event or a scan. Emptied by it. */
  readonly files = new Set<KnownFile>();
  /** Folders whose listing has arrived names, or has to be made again. Emptied by `take`. */
  readonly folders = new Set<Folder>();
  /** Files that were written with the text that they had. Emptied by who takes them. */
  readonly savedAgain = new Set<string>();

  constructor(options: LooksOptions) {
    this.#with = options;
  }

  /** Something is marked. */
  get any(): boolean {
    return this.files.size + this.folders.size > 0;
  }

  /** Looks at all that is marked, and at what may have changed unnoticed. Each change is told once. */
  take(): FileChange[] {
    for (const folder of this.#with.watches.doubtful) {
      this.markContents(folder);
      if (!folder.listing) this.#markReturned(folder);
    }
    const changes: FileChange[] = [];
    // Folders that turn out to have come are marked on the way, with their files.
    while (this.any) {
      for (const known of this.files) changes.push(...this.#takeChange(known));
      this.files.clear();
      for (const folder of this.folders) {
        this.folders.delete(folder);
        changes.push(...this.#takeArrivals(folder));
      }
    }
    return changes;
  }

  /** Marks what a look at the folder shows to be changed. Says whether anything is marked then. */
  scan(folder: Folder): boolean {
    for (const known of folder.files.values()) if (this.look(known) || this.#lookWhere(known)) this.files.add(known);
    const { listing } = folder;
    const listed = listing !== undefined && listAgain(folder, listing, this.#with.disk, this.#with.now());
    if (listing && listing.arrived.size > 0) this.folders.add(folder);
    if (listed || !listing) this.#markReturned(folder);
    return this.any;
  }

  markContents(folder: Folder): void {
    for (const known of folder.files.values()) this.files.add(known);
    if (folder.listing) this.folders.add(folder);
  }

  /** What has come with folders that came unnoticed. */
  #markReturned(folder: Folder): void {
    for (const returned of this.#with.watches.openReturned(folder)) {
      this.markContents(returned);
      if (returned.listing) returned.listing.sight = undefined;
    }
  }

  /** Whether what has come or gone is nobody's; then that is all there is to be done about it. */
  isUnrelated(folder: Folder, listing: Listing, name: string): boolean {
    if (listing.isAppsOwn || folder.files.has(name) || MANY_FORMS.test(name)) return false;
    const file = path.join(folder.path, name);
    const { type } = this.#with.disk.look(file);
    if (type === "missing") {
      listing.names.delete(name);
      return !listing.arrived.has(name);
    }
    const isSkipped = type === "folder" ? !mayHoldOwnFiles(name) : this.#with.concerns?.(file) === false;
    if (!isSkipped || name === "node_modules") return false;
    listing.names.add(name);
    return true;
  }

  /** What is in there. */
  look(known: KnownFile): FileChange | undefined {
    if (!known.isFile) return undefined;
    const before = known.sight;
    known.sight = lookAgain(known.file, before, this.#with.disk, this.#with.now());
    if (isSavedAgain(before, known.sight)) this.savedAgain.add(known.file);
    return changeBetween(known, known.reported, known.sight.content);
  }

  /** Where it leads. */
  #lookWhere({ file, link: before }: KnownFile): { readonly link: Content; readonly change: FileChange } | undefined {
    if (before === undefined) return undefined;
    const link = this.#with.disk.link(file);
    const change = linkChange(file, before, link);
    return change && { link, change };
  }

  #takeChange(known: KnownFile): FileChange[] {
    const change = this.look(known);
    const moved = this.#lookWhere(known);
    if (!change && !moved) return [];
    known.reported = known.sight?.content ?? MISSING;
    known.link = moved?.link ?? known.link;
    this.#with.watches.verify(known.folder);
    const isGone = (known.isFile ? known.reported : known.link) === MISSING;
    if (isGone) known.folder.listing?.names.delete(path.basename(known.file));
    return [...(change ? [change] : []), ...(moved ? [moved.change] : [])];
  }

  /** What has come to the folder since the last check, other than known files. */
  #takeArrivals(folder: Folder): FileChange[] {
    const { listing } = folder;
    if (!listing) return [];
    const isListed = listing.sight !== undefined && !this.#with.watches.doubtful.has(folder);
    if (!isListed && listAgain(folder, listing, this.#with.disk, this.#with.now())) this.#markReturned(folder);
    const changes: FileChange[] = [];
    for (const name of listing.arrived) {
      const file = path.join(folder.path, name);
      const look = this.#with.disk.look(file);
      const isNew = !listing.names.has(name);
      if (look.type === "missing") {
        listing.names.delete(name);
        this.#leave(folder.below.get(name));
      } else listing.names.add(name);
      if ((folder.files.has(name) && look.type !== "folder") || this.#with.isIgnored(file)) continue;
      if (look.type === "missing" && !isNew && listing.isAppsOwn)
        changes.push({ file, kind: "deleted", mayBeHalfSaved: true });
      if (!isNew) continue;
      if (look.type === "file" && !listing.isAppsOwn && this.#with.concerns?.(file) === false) continue;
      if (look.type === "folder" && listing.isAppsOwn) changes.push({ file, kind: "added", mayBeHalfSaved: false });
      if (look.type === "file") changes.push({ file, kind: "added", mayBeHalfSaved: look.stamp.size === 0 });
      if (look.type === "folder" && mayHoldOwnFiles(name)) this.#enter(file);
    }
    listing.arrived.clear();
    return changes;
  }

  /** A folder that was entered is gone: if it comes back, it is entered again. */
  #leave(folder: Folder | undefined): void {
    if (!folder) return;
    const subtree = [...folder.subtree()];
    if (subtree.some(({ files, listing }) => files.size > 0 || (listing && !listing.isForNow))) return;
    for (const each of subtree.reverse()) this.release(each);
  }

  /** A folder has come into a tracked one: all in it has come. */
  #enter(path: string): void {
    const folder = this.#with.watches.need(path);
    folder.listing ??= emptyListing(true);
    this.markContents(folder);
  }

  release(folder: Folder): void {
    folder.listing = undefined;
    this.folders.delete(folder);
    this.#with.watches.drop(folder);
  }
}

function isSavedAgain(before: Sight | undefined, now: Sight): boolean {
  if (before === undefined || now.stamp === undefined || before.content !== now.content) return false;
  return before.stamp === undefined ? now.stamp.mtimeMs > before.time : !sameStamp(before.stamp, now.stamp);
}
