/**
 * Files below the root that requests read. A handler that reads such a file each time has it fresh. One that keeps what it has
 * read (a `Map`, the cache of a template engine) would answer from the old text for ever: when a request comes again that led
 * to the file, the file is another one, and nobody reads it, then the modules that keep it have used it like a template that
 * was read while they were evaluated, and are evaluated again; at once from the next edit on.
 */
import fs from "node:fs";
import type { ModuleEdges } from "./module-edges.js";

export interface LateReadsOptions {
  /** What requests under way are for: `/path?query`, empty for what changes something. */
  requests(): readonly string[];
  /** Files of the frames that have led to the read, innermost first. */
  readers(): readonly string[];
  /** Versions of the modules that may keep what these files have read. */
  keepers(frames: readonly string[], isSecond: boolean): readonly ModuleEdges[];
  /** Told of a file that is kept. */
  kept(file: string, by: readonly ModuleEdges[]): void;
  hashOf(file: string): string | undefined;
}

interface LateRead {
  readonly frames: readonly string[];
  /** When it had been changed last as it was read. */
  changedAt: number;
  readonly requests: Set<string>;
}

/** Those that were read last. */
const FILES = 500;
const REQUESTS = 8;
/** Requests that are over are looked at together. */
const LOOK_MS = 20;
/** By so much the time of a write may be too early: the clock of a file system is a coarse one. */
const CLOCK_MS = 20;
/** No text that ever is. */
const OUTDATED = "outdated";

export class LateReads {
  readonly #options: LateReadsOptions;
  readonly #files = new Map<string, LateRead>();
  /** Files that the app writes itself: its state. */
  readonly #written = new Set<string>();
  /** Module to the files that it keeps, as was found. */
  readonly #kept = new Map<string, Set<string>>();
  /** Requests that are over, each with the time when it began. */
  readonly #over = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LateReadsOptions) {
    this.#options = options;
  }

  /** Nobody's evaluation reads this file. */
  read(file: string): void {
    if (this.#written.has(file)) return;
    const [request, ...others] = this.#options.requests();
    // Of several nobody knows whose it is.
    const isKnown = request !== undefined && request !== "" && others.length === 0;
    const known = this.#files.get(file);
    if (!known && !isKnown) return;
    const changedAt = changeOf(file);
    this.#files.delete(file);
    if (changedAt === undefined) return;
    const read = known ?? { frames: this.#options.readers(), changedAt, requests: new Set() };
    read.changedAt = changedAt;
    if (isKnown && read.requests.size < REQUESTS) read.requests.add(request);
    this.#files.set(file, read);
    const [oldest] = this.#files.keys();
    if (this.#files.size > FILES && oldest !== undefined) this.#files.delete(oldest);
  }

  /** The app writes it. */
  written(file: string): void {
    this.#files.delete(file);
    if (this.#written.size < FILES) this.#written.add(file);
  }

  /** A request is answered. `began`: in milliseconds since 1970. */
  over(request: string, began: number): void {
    if (this.#files.size === 0) return;
    this.#over.set(request, began);
    this.#timer ??= setTimeout(() => this.#look(), LOOK_MS).unref();
  }

  /** A version is evaluated: what the one before has kept counts as read by it. */
  evaluated(edges: ModuleEdges): void {
    for (const file of this.#kept.get(edges.file) ?? []) edges.readsFile(file, this.#options.hashOf(file));
  }

  #look(): void {
    this.#timer = undefined;
    const over = new Map(this.#over);
    this.#over.clear();
    for (const [file, read] of this.#files) {
      const began = Math.max(...[...read.requests].map((request) => over.get(request) ?? 0));
      const changedAt = began === 0 ? undefined : changeOf(file);
      if (changedAt === undefined || changedAt === read.changedAt || changedAt > began - CLOCK_MS) continue;
      this.#files.delete(file);
      const keepers = this.#options.keepers(read.frames, this.#isKept(file));
      for (const edges of keepers) {
        this.#kept.set(edges.file, (this.#kept.get(edges.file) ?? new Set()).add(file));
        edges.readsFile(file, OUTDATED);
      }
      this.#options.kept(file, keepers);
    }
  }

  #isKept(file: string): boolean {
    return [...this.#kept.values()].some((files) => files.has(file));
  }
}

/** Nothing else tells: a file that is being written has another size before it has another time. */
function changeOf(file: string): number | undefined {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() ? stats.ctimeMs : undefined;
}
