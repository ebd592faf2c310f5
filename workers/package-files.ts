/** Tells main which files of packages the thread has loaded, so that it notices when one of them is changed. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isBelowPackages, packageOf } from "../src/common/paths.js";
import type { WorkerReport } from "../src/common/protocol/messages.js";
import { enumerableNames, isProxy } from "../src/common/untouched.js";
import { moduleInternals } from "./runtime/module-internals.js";

export class LoadedPackageFiles {
  readonly #root: string;
  readonly #send: (report: WorkerReport) => void;
  /** Something may have been loaded since the last `tell`: a thread may have been given packages ahead. */
  #isDue = true;
  /** Files that own ES modules have imported, since the last `tell`. */
  readonly #imported = new Set<string>();
  readonly #told = new Set<string>();

  constructor({ root, send }: { readonly root: string; send(report: WorkerReport): void }) {
    this.#root = root;
    this.#send = send;
  }

  /** CommonJS, by whomever. */
  compiled(): void {
    this.#isDue = true;
  }

  /** By its path or URL. */
  imported(file: string): void {
    this.#isDue = true;
    this.#imported.add(file.startsWith("file:") ? fileURLToPath(file) : file);
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
    this.#imported.clear();
    if (files.length === 0) return;
    this.#send({ type: "packageFilesLoaded", files, folders: [...folders] });
  }

  /** Packages may be linked from elsewhere. */
  #isNews(file: string): boolean {
    if (this.#told.has(file) || (file.startsWith(this.#root + path.sep) && !isBelowPackages(file))) return false;
    this.#told.add(file);
    return true;
  }
}
