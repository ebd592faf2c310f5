/** Tells main which files of packages the thread has loaded or read, so that it notices when one of them is changed. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isBelowPackages, packageOf } from "../src/common/paths.js";
import type { WorkerReport } from "../src/common/protocol/messages.js";
import { enumerableNames, isProxy } from "../src/common/untouched.js";
import { missingPackagePlaces } from "./package-places.js";
import { moduleInternals } from "./runtime/module-internals.js";

/** Names that are made up again and again are not followed for ever. */
const MOST = 100_000;

export class LoadedPackageFiles {
  readonly #root: string;
  readonly #send: (report: WorkerReport) => void;
  /** Something may have been loaded since the last `tell`: a thread may have been given packages ahead. */
  #isDue = true;
  /** When something was loaded last, in milliseconds since 1970; undefined: it was before. */
  #lastAt: number | undefined;
  /** Files that own ES modules have imported, since the last `tell`. */
  readonly #imported = new Set<string>();
  readonly #told = new Set<string>();
  /** Files read as data, and folders listed, since the last `tell` -> when first, in milliseconds since 1970. */
  readonly #read = new Map<string, number>();
  /** Of those told, what the app itself has written since the last `tell`. */
  readonly #written = new Set<string>();

  constructor({ root, send }: { readonly root: string; send(report: WorkerReport): void }) {
    this.#root = root;
    this.#send = send;
  }

  /** CommonJS, by whomever. */
  compiled(): void {
    this.#isDue = true;
    this.#lastAt = Date.now();
  }

  /** By its path or URL. */
  imported(file: string): void {
    this.compiled();
    this.#imported.add(file.startsWith("file:") ? fileURLToPath(file) : file);
  }

  /** What it is made from that is no code; or it is written, and nobody else's business from then on. */
  used(file: string, writes: boolean): void {
    if (!writes && (this.#told.has(file) || this.#told.size >= MOST)) return;
    if (!writes) {
      if (!this.#read.has(file)) this.#read.set(file, Date.now());
      this.#isDue = true;
      return;
    }
    // What comes to a folder changes it.
    for (const each of [file, path.dirname(file)]) {
      if (!this.#told.has(each)) continue;
      this.#written.add(each);
      this.#isDue = true;
    }
  }

  /** Somebody has asked for a package, or a file of one, that is not there: it is evaluated again when that comes. */
  sought(specifier: string, importer: string): void {
    for (const place of missingPackagePlaces(specifier, importer, this.#root)) this.used(place, false);
  }

  /** Costs nothing when nothing was loaded. */
  tell(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    const cache: unknown = moduleInternals._cache;
    const cached = typeof cache === "object" && cache !== null && !isProxy(cache) ? enumerableNames(cache) : [];
    const files = cached.filter((file) => this.#isNews(file));
    const folders = new Set<string>();
    for (const file of this.#imported) {
      const folder = this.#isNews(file) ? packageOf(file)?.folder : undefined;
      if (folder === undefined) continue;
      files.push(file);
      folders.add(folder);
    }
    const used = [...this.#read].filter(([file]) => !this.#told.has(file)).map(([file, at]) => ({ file, at }));
    for (const { file } of used) this.#told.add(file);
    const written = [...this.#written];
    this.#imported.clear();
    this.#read.clear();
    this.#written.clear();
    if (files.length + used.length + written.length === 0) return;
    const at = this.#lastAt ?? Date.now();
    this.#send({ type: "packageFilesLoaded", files, used, folders: [...folders], written, at });
  }

  /** Packages may be linked from elsewhere. */
  #isNews(file: string): boolean {
    if (this.#told.has(file) || (file.startsWith(this.#root + path.sep) && !isBelowPackages(file))) return false;
    this.#told.add(file);
    return true;
  }
}
