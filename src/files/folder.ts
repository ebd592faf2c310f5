/** The folders that matter, as a tree: those of known files, and those above them. */
import path from "node:path";
import type { Content, Sight } from "./content.js";
import type { Stamp } from "./stamps.js";
import type { FolderWatch } from "./watcher.js";

export interface KnownFile {
  readonly file: string;
  readonly folder: Folder;
  /** Its changes are of the kind `config`, whatever else it is. */
  config: boolean;
  /** What is in there counts; otherwise it is known as a link only. */
  isFile: boolean;
  /** Of a symbolic link that somebody crosses: where it led when that was last reported. */
  link: Content | undefined;
  /** What was last reported, or what was compiled; of a file. */
  reported: Content;
  /** What was last seen; differs from `reported` only while a change waits to be taken. */
  sight: Sight | undefined;
}

/**
 * How changes in a folder come to be noticed. Only `watched` folders need not be looked at on each request.
 * `unwatched`: not by events (polling, or the system refused). `opening`: events do not arrive yet. `late`: events come,
 * but some too late or never. `missing`: the folder above tells when it comes.
 */
export type FolderState = "unwatched" | "opening" | "watched" | "late" | "missing";

/** What is in a folder of which additions are reported. */
export interface Listing {
  /** The app has listed the folder: what goes is reported too, and folders as well as files. */
  isAppsOwn: boolean;
  /** Nobody needs it for good: it goes with those who asked for it, or with the folder. */
  isForNow: boolean;
  /** As far as is known. */
  readonly names: Set<string>;
  /** Names of which an event has come since the last check: they may be new, or gone. */
  readonly arrived: Set<string>;
  /** When the folder was listed, and its stamp before that. Absent: to be listed again. */
  sight: { readonly stamp: Stamp; readonly time: number } | undefined;
}

export class Folder {
  readonly path: string;
  readonly name: string;
  readonly above: Folder | undefined;
  /** Key: name. Born and dead with the folders below. */
  readonly below = new Map<string, Folder>();
  /** Key: name. Born when a file is tracked, dead when it is untracked. */
  readonly files = new Map<string, KnownFile>();
  listing: Listing | undefined;
  state: FolderState = "unwatched";
  watch: FolderWatch | undefined;
  /** Inode of what is watched; undefined: nothing. */
  identity: number | undefined;

  constructor(folder: string, above: Folder | undefined) {
    this.path = folder;
    this.name = path.basename(folder);
    this.above = above;
  }

  /** This folder and all below it. */
  *subtree(): Iterable<Folder> {
    yield this;
    for (const folder of this.below.values()) yield* folder.subtree();
  }
}

/**
 * The folder above `folder` that must be watched too, so that a moved, removed or newly made folder is noticed:
 * up to the root; outside of it, up to the folder that it shares with the root. Never a whole disk or home
 * (`/`, `/tmp`, `/home`), where too much goes on.
 */
export function folderAbove(folder: string, root: string): string | undefined {
  const above = path.dirname(folder);
  if (above === folder || folder === root) return undefined;
  if (isWithin(above, root)) return above;
  if (path.dirname(above) === above || path.dirname(path.dirname(above)) === path.dirname(above)) return undefined;
  return isWithin(folder, root) || isWithin(root, folder) ? undefined : above;
}

function isWithin(inner: string, outer: string): boolean {
  const way = path.relative(outer, inner);
  return way === "" || (!way.startsWith(`..${path.sep}`) && way !== ".." && !path.isAbsolute(way));
}
