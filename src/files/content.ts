/** What is in a file, as a text that can be compared, and how it is found out with as little reading as possible. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { descriptorReserve } from "../common/compile/descriptor-reserve.js";
import { FOLDER, hashSource, isLargeMark, largeMark, MISSING } from "../common/compile/hash.js";
import { errorCode, isConclusive, type Look, lookAt, type Stamp, sameStamp } from "./stamps.js";

export { FOLDER, MISSING } from "../common/compile/hash.js";

/** The hash of the text; or MISSING, or FOLDER; or `unreadable:CODE`, or the mark of a large file, which no hash looks like. */
export type Content = string;

const UNREADABLE = "unreadable:";

export const EMPTY: Content = hashSource(Buffer.alloc(0));

/** The content of a file at one moment. */
export interface Sight {
  readonly content: Content;
  /** Milliseconds since 1970; the content was read at this time or later. */
  readonly time: number;
  /** Absent when the content was read without a stat call before it. */
  readonly stamp?: Stamp | undefined;
}

/** The file system as it is looked at here; tests put their own in its place. */
export interface Disk {
  look(path: string): Look;
  /** Reads and hashes. */
  read(file: string): Content;
  /** Where a symbolic link leads. */
  link(file: string): Content;
  /** Names in a folder; none when it cannot be listed. */
  list(folder: string): string[];
}

export const realDisk: Disk = { look: lookAt, read: readContent, link: readLink, list: readNames };

/**
 * Looks at a file of which `before` is known. Only reads it when the stamp has changed, or when `before` is from so soon
 * after a write that the stamp could not show a second one. The stat call comes before the reading: what is written in
 * between makes the stamp too old, which only costs another reading.
 */
export function lookAgain(file: string, before: Sight | undefined, disk: Disk, now: number): Sight {
  const look = disk.look(file);
  switch (look.type) {
    case "file": {
      const { stamp } = look;
      if (before !== undefined && vouchesFor(before, stamp)) return { content: before.content, time: now, stamp };
      // What is known by its hash (code) stays so.
      const large = before && isHash(before.content) ? undefined : largeMark(stamp.size, stamp.mtimeMs);
      return { content: large ?? disk.read(file), time: now, stamp };
    }
    case "folder":
      return { content: FOLDER, time: now };
    case "missing":
      return { content: MISSING, time: now };
    case "unreadable":
      return { content: unreadable(look.code), time: now };
    default:
      return look satisfies never;
  }
}

function vouchesFor(before: Sight, stamp: Stamp): boolean {
  if (!isHash(before.content) && !isLargeMark(before.content)) return false;
  return isConclusive(stamp, before.time) && (!before.stamp || sameStamp(before.stamp, stamp));
}

function isHash(content: Content): boolean {
  const isFile = content !== MISSING && content !== FOLDER;
  return isFile && !content.startsWith(UNREADABLE) && !isLargeMark(content);
}

function readContent(file: string): Content {
  try {
    return hashSource(descriptorReserve.during(() => readFileSync(file)));
  } catch (error) {
    const code = errorCode(error);
    return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" ? MISSING : unreadable(code);
  }
}

/** Something that is no link leads to itself. */
function readLink(file: string): Content {
  try {
    return `link:${readlinkSync(file)}`;
  } catch (error) {
    return errorCode(error) === "EINVAL" ? "link:" : MISSING;
  }
}

function readNames(folder: string): string[] {
  try {
    return descriptorReserve.during(() => readdirSync(folder));
  } catch (error) {
    errorCode(error);
    return [];
  }
}

function unreadable(code: string): Content {
  return `${UNREADABLE}${code}`;
}
