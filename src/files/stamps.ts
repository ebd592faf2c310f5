/** What a stat call says about a file, and when that is enough to know that its content is still the same. */
import { type Stats, statSync } from "node:fs";

export interface Stamp {
  /** Milliseconds since 1970, with fractions as far as a double holds them (0.25 µs). */
  readonly mtimeMs: number;
  /** Unlike mtime, nobody can set it: a restored mtime shows here. */
  readonly ctimeMs: number;
  readonly size: number;
  readonly ino: number;
  readonly dev: number;
}

export type Look =
  | { readonly type: "file"; readonly stamp: Stamp }
  | { readonly type: "folder"; readonly stamp: Stamp }
  | { readonly type: "missing" }
  /** It is there, or may be, but cannot be looked at: EACCES, ELOOP, EIO, ... */
  | { readonly type: "unreadable"; readonly code: string };

/** One stat call (1.2 to 3 µs). Symbolic links are followed. Sockets, devices and the like count as missing. */
export function lookAt(path: string): Look {
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const code = errorCode(error);
    // Below what is a file now nothing is.
    return code === "ENOTDIR" ? { type: "missing" } : { type: "unreadable", code };
  }
  if (stats?.isFile()) return { type: "file", stamp: stampOf(stats) };
  if (stats?.isDirectory()) return { type: "folder", stamp: stampOf(stats) };
  return { type: "missing" };
}

function stampOf({ mtimeMs, ctimeMs, size, ino, dev }: Stats): Stamp {
  return { mtimeMs, ctimeMs, size, ino, dev };
}

export function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

/** Kernels stamp writes with the time of their last tick: up to 10 ms, and here is room to spare. */
const TICK_MS = 50;
/** Whole seconds are a sign of a file system that has no finer times (FAT: 2 s, HFS+, some network shares). */
const COARSE_MS = 2000;

/**
 * Whether a write that comes at `time` or later is sure to change the stamp. Two writes within one tick leave the same
 * times, so a stamp taken too soon after a write says nothing about a second write.
 */
export function isConclusive({ mtimeMs, ctimeMs }: Stamp, time: number): boolean {
  const written = Math.max(mtimeMs, ctimeMs);
  return written + (written % 1000 === 0 ? COARSE_MS : TICK_MS) < time;
}

/** The `code` of what a file system call threw; what is not such an error is thrown on. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}
