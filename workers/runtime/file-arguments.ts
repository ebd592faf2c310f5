/** What calls of `node:fs` were given, and what is there: paths, texts, folders. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hashSource, largeMark } from "../../src/common/compile/hash.js";
import { inherits, isObject, ownValue } from "../../src/common/untouched.js";

/** Of packages, and of git. */
export const NOT_COUNTED = /[\\/](node_modules|\.git)([\\/]|$)/;

/** Flags with which a file is only read. */
const READS_ONLY: ReadonlySet<unknown> = new Set([undefined, null, "r", "rs", "sr", fs.constants.O_RDONLY]);

/** File descriptors do not count. */
export function absolutePath(argument: unknown): string | undefined {
  if (typeof argument === "string") return path.resolve(argument);
  if (!isObject(argument)) return undefined;
  if (ArrayBuffer.isView(argument))
    return path.resolve(Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength).toString());
  if (!inherits(argument, URL.prototype)) return undefined;
  try {
    return path.resolve(fileURLToPath(argument as URL));
  } catch (error) {
    // No file of this machine: Node will say so.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Whether `open` only reads. */
export function isForReading(flags: unknown): boolean {
  return READS_ONLY.has(flags) || typeof flags === "function";
}

export function isRecursive(options: unknown): boolean {
  return isObject(options) && ownValue(options, "recursive") === true;
}

/** Of a text, or of bytes, as they are written; undefined when they do not become the whole content. */
export function hashOfContent(content: unknown, options: unknown): string | undefined {
  const [encoding, flag] = isObject(options) ? [ownValue(options, "encoding"), ownValue(options, "flag")] : [options];
  if (flag !== undefined && flag !== "w") return undefined;
  if (typeof content === "string") {
    const isKnown = typeof encoding === "string" && Buffer.isEncoding(encoding);
    return hashSource(Buffer.from(content, isKnown ? encoding : "utf8"));
  }
  return ArrayBuffer.isView(content)
    ? hashSource(Buffer.from(content.buffer, content.byteOffset, content.byteLength))
    : undefined;
}

/** As main has it, whose times are numbers: bigints are cut off, not rounded. */
export function markOfLarge(file: string, { size }: fs.BigIntStats): string | undefined {
  if (largeMark(Number(size), 0) === undefined) return undefined;
  const stats = fs.statSync(file);
  return largeMark(stats.size, stats.mtimeMs);
}

/** The folder itself and all below it, as a recursive listing goes through them; not those of packages. */
export function foldersBelow(folder: string): Iterable<string> {
  const real = new Set<string>();
  // A Set is walked in insertion order, entries added on the way included.
  const folders = new Set([folder]);
  for (const at of folders) {
    const entries = orNothing(() => fs.readdirSync(at, { withFileTypes: true })) ?? [];
    for (const entry of entries) {
      const below = path.join(at, entry.name);
      if (NOT_COUNTED.test(below)) continue;
      if (entry.isDirectory()) folders.add(below);
      if (!entry.isSymbolicLink()) continue;
      // Most listings follow links; one that leads upwards has no end.
      const target = orNothing(() => fs.realpathSync(below));
      if (target === undefined || real.has(target) || !orNothing(() => fs.statSync(below).isDirectory())) continue;
      real.add(target);
      folders.add(below);
    }
  }
  return folders;
}

/** Files in a folder, without those of folders below. */
export function filesIn(folder: string): string[] {
  const entries = orNothing(() => fs.readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(folder, entry.name));
}

/** Undefined when it is gone, or not to be read: the app hears of it. */
function orNothing<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
