/**
 * Files of packages that the app has loaded, or read as data, and folders of theirs that it has listed. There may be 20,000 of
 * them, in thousands of folders, and hardly ever is one changed by hand or by a code generator: so they are not watched, but
 * looked at in the background, a few at a time.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { isBelowPackages, packageOf } from "../common/paths.js";
import { lookAt } from "./stamps.js";

export interface PackageFilesOptions {
  /** Told when nothing more has changed for a while: an installation is over. */
  changed(files: readonly string[]): void;
  /** These files are written whenever the app starts: their changes count no more. */
  givenUp(files: readonly string[]): void;
  isIgnored(file: string): boolean;
}

export interface LoadedPackageFiles {
  readonly files: readonly string[];
  /** Files and folders that it has read as data or listed, or looked for: they may not be there. */
  readonly used: readonly { readonly file: string; readonly at: number }[];
  /** Of packages of ES modules, where Node does not tell which files it has loaded. */
  readonly folders: readonly string[];
  /** Of those of before, what the app has written itself. */
  readonly written: readonly string[];
  /** When the last of `files` was loaded; as the times in `used`, in milliseconds since 1970. */
  readonly at: number;
}

const TICK_MS = 50;
/** Share of the main thread that this may take: 1 %. */
const BUDGET_MS = TICK_MS / 100;
/** Between two passes. */
const PASS_MS = 600;
/** An installation goes on while changes come. */
const SETTLED_MS = 500;
/** What changes so soon after a start that was due to the same files is written by the app; twice in a row may be chance. */
const SOON_MS = 10_000;
const MOST_IN_A_ROW = 2;
/** Of a package of ES modules. */
const MOST_FILES = 1000;
const CODE = /\.(?:[cm]?js|json|wasm|node)$/;

interface Stamp {
  readonly text: string;
  readonly mtimeMs: number;
}

/** Not looked at so far. */
const UNSEEN = "unseen";
/** The same of what must have been there. */
const UNSEEN_LOADED = "unseen, loaded";
const MISSING = "missing";

export class PackageFiles {
  readonly #options: PackageFilesOptions;
  /** File to its stamp, for those of the newest thread. */
  readonly #stamps = new Map<string, Stamp>();
  /** To be searched for code. */
  #folders: { readonly folder: string; readonly unseen: Stamp }[] = [];
  #epoch = 0;
  #epochBegan = 0;
  #pass: Iterator<string> | undefined;
  readonly #changed = new Set<string>();
  #changedAt = 0;
  /** What was told last, and how often in a row. */
  #told: ReadonlySet<string> = new Set();
  #inARow = 0;
  readonly #givenUp = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PackageFilesOptions) {
    this.#options = options;
  }

  /** The thread of an epoch has loaded these, too. */
  track(epoch: number, { files, used, folders, written, at }: LoadedPackageFiles): void {
    if (epoch < this.#epoch || this.#closed) return;
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      this.#epochBegan = performance.now();
      this.#stamps.clear();
      this.#folders = [];
      this.#pass = undefined;
      this.#changed.clear();
    }
    // They were loaded before this: what was written until then (by the app, to load it) is what was loaded.
    const unseen: Stamp = { text: UNSEEN, mtimeMs: at };
    for (const file of files) this.#add(file, { text: UNSEEN_LOADED, mtimeMs: at });
    for (const each of used) this.#add(each.file, { text: UNSEEN, mtimeMs: each.at });
    // The app's state from then on, as elsewhere.
    for (const file of written) {
      this.#stamps.delete(file);
      this.#changed.delete(file);
    }
    this.#folders.push(...folders.map((folder) => ({ folder, unseen })));
    this.#timer ??= this.#later(TICK_MS);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stamps.clear();
  }

  /** `unseen`: has the time since which a write counts as a change. */
  #add(file: string, unseen: Stamp): void {
    if (this.#stamps.has(file) || this.#options.isIgnored(file)) return;
    this.#stamps.set(file, unseen);
    const folder = packageOf(file)?.folder;
    const manifest = folder && path.join(folder, "package.json");
    if (manifest && !this.#stamps.has(manifest)) this.#stamps.set(manifest, { ...unseen, text: UNSEEN });
  }

  #later(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#look();
      this.#timer = this.#closed ? undefined : this.#later(this.#pass || this.#folders.length > 0 ? TICK_MS : PASS_MS);
    }, delayMs).unref();
  }

  /** A few files; `#pass` is undefined when that was the last of them. */
  #look(): void {
    const now = performance.now();
    const searched = this.#folders.pop();
    if (searched) {
      for (const file of codeIn(searched.folder)) this.#add(file, searched.unseen);
      return;
    }
    this.#pass ??= this.#stamps.keys();
    while (performance.now() - now < BUDGET_MS) {
      const next = this.#pass.next();
      if (next.done) {
        this.#pass = undefined;
        this.#tell(now);
        return;
      }
      this.#compare(next.value, now);
    }
  }

  #compare(file: string, now: number): void {
    const before = this.#stamps.get(file);
    const stamp = stampOf(file);
    if (before === undefined || stamp.text === before.text) return;
    this.#stamps.set(file, stamp);
    if (this.#givenUp.has(file)) return;
    const isGone = stamp.text === MISSING;
    const isFirst = before.text === UNSEEN || before.text === UNSEEN_LOADED;
    if (isFirst && stamp.mtimeMs <= before.mtimeMs && !(isGone && before.text === UNSEEN_LOADED)) return;
    // Code for one use (of a bundler, in the system's folder for such, or one of its own) is removed when it has been loaded.
    if (isGone && (!isBelowPackages(file) || (isFirst && packageOf(file)?.name.startsWith(".")))) return;
    this.#changed.add(file);
    this.#changedAt = now;
  }

  #tell(now: number): void {
    if (this.#changed.size === 0 || now - this.#changedAt < SETTLED_MS) return;
    const files = [...this.#changed].sort();
    this.#changed.clear();
    const isAgain = now - this.#epochBegan < SOON_MS && files.every((file) => this.#told.has(file));
    this.#inARow = isAgain ? this.#inARow + 1 : 0;
    this.#told = new Set(files);
    if (this.#inARow < MOST_IN_A_ROW) {
      this.#options.changed(files);
      return;
    }
    for (const file of files) this.#givenUp.add(file);
    this.#options.givenUp(files);
  }
}

function stampOf(file: string): Stamp {
  const look = lookAt(file);
  if (look.type === "file" || look.type === "folder") {
    const { mtimeMs, size, ino } = look.stamp;
    return { text: `${mtimeMs} ${size} ${ino}`, mtimeMs };
  }
  return { text: look.type === "missing" ? MISSING : look.code, mtimeMs: Number.NEGATIVE_INFINITY };
}

/** Code below the folder of a package, without that of packages within. */
function codeIn(folder: string): string[] {
  const files: string[] = [];
  const folders = [folder];
  for (const at of folders) {
    let entries: ReturnType<typeof entriesOf> = [];
    try {
      entries = entriesOf(at);
    } catch (error) {
      // Gone, or not to be read.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
    for (const entry of entries) {
      if (files.length === MOST_FILES) return files;
      const file = path.join(at, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules") folders.push(file);
      } else if (CODE.test(entry.name)) files.push(file);
    }
  }
  return files;
}

function entriesOf(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}
