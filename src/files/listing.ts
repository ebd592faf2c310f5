/** Finds out which names have come to a folder. */
import type { Disk } from "./content.js";
import type { Folder, Listing } from "./folder.js";
import { isConclusive, sameStamp } from "./stamps.js";

export function emptyListing(isForNow = false): Listing {
  return { isAppsOwn: false, isForNow, names: new Set(), arrived: new Set(), sight: undefined };
}

/** Takes what is there now as what was there all along. */
export function takeListing(folder: Folder, listing: Listing, disk: Disk, now: number): void {
  listAgain(folder, listing, disk, now);
  for (const name of listing.arrived) listing.names.add(name);
  listing.arrived.clear();
}

/**
 * Lists the folder if it may have changed since `listing.sight`: names that are new are put with the arrived ones, names
 * that are gone are forgotten, or put there as well when that is to be reported. Says whether it has listed.
 */
export function listAgain(folder: Folder, listing: Listing, disk: Disk, now: number): boolean {
  const look = disk.look(folder.path);
  const { sight } = listing;
  if (look.type === "folder" && sight && isConclusive(look.stamp, sight.time) && sameStamp(look.stamp, sight.stamp)) {
    return false;
  }
  const present = new Set(look.type === "folder" ? disk.list(folder.path) : []);
  for (const name of listing.names) {
    if (present.has(name)) continue;
    if (listing.isAppsOwn) listing.arrived.add(name);
    else listing.names.delete(name);
  }
  for (const name of present) if (!listing.names.has(name)) listing.arrived.add(name);
  listing.sight = look.type === "folder" ? { stamp: look.stamp, time: now } : undefined;
  return true;
}
