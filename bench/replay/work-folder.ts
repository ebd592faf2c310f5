/** The app as files: a folder for the product, and one for fresh processes, whose writes meet nobody. */
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Save } from "./saves.js";

export class WorkFolder {
  readonly folder: string;
  /** Paths that the caller's own files have, which no commit replaces. */
  readonly #fixed: ReadonlySet<string>;

  /** `overlay`: a folder with files of the caller's (an .env, a database) that lie above those of the commits. */
  constructor(folder: string, overlay: string | undefined) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.#fixed = new Set(overlay === undefined ? [] : filesOf(overlay));
    if (overlay !== undefined) cpSync(overlay, folder, { recursive: true });
  }

  /** Installs packages as npm would have: the files are links to those of `modules` where the disk allows it. */
  install(modules: string): void {
    linkTree(modules, join(this.folder, "node_modules"));
  }

  /** Carries the saves out, and says which; what the repository lacks is left as it is. */
  apply(saves: readonly Save[], contents: ReadonlyMap<string, Buffer>): string[] {
    return saves.filter((save) => this.#apply(save, contents)).map(({ path }) => path);
  }

  #apply(save: Save, contents: ReadonlyMap<string, Buffer>): boolean {
    if (this.#fixed.has(save.path)) return false;
    const file = join(this.folder, save.path);
    if (save.kind === "delete") {
      rmSync(file, { force: true });
      this.#removeEmpty(dirname(save.path));
      return true;
    }
    const text = contents.get(save.entry.blob);
    if (text === undefined) return false;
    mkdirSync(dirname(file), { recursive: true });
    if (save.entry.mode === "link") {
      rmSync(file, { force: true });
      symlinkSync(text.toString(), file);
    } else if (save.way === "rename") {
      writeFileSync(`${file}.save~`, text, { mode: permissions(save.entry.mode) });
      renameSync(`${file}.save~`, file);
    } else writeFileSync(file, text, { mode: permissions(save.entry.mode) });
    return true;
  }

  /** git has no empty folders. */
  #removeEmpty(path: string): void {
    if (path === "." || readdirSync(join(this.folder, path)).length > 0) return;
    rmSync(join(this.folder, path), { recursive: true });
    this.#removeEmpty(dirname(path));
  }
}

function permissions(mode: "file" | "executable"): number {
  return mode === "executable" ? 0o755 : 0o644;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      // What tools keep there is not what was installed.
      if (entry.name !== ".cache") linkTree(source, target);
    } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkFile(source, target);
  }
}

function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!["EXDEV", "EPERM", "EMLINK"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    copyFileSync(from, to);
  }
}
