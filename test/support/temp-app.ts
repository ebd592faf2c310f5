/** An app in a temporary folder, written inline by a test and edited as an editor would. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packageFolders } from "./packages.js";
import "./end-at-once.js";
import "./suppressed-error.js";

export interface TempAppOptions {
  /**
   * Packages that the app can import, the project's own, those of test/packages and `unreloader` itself: each is linked
   * below its node_modules.
   * `express from express4`: under another name.
   */
  readonly packages?: readonly string[];
  /** Name of the app's folder, for paths with spaces or other letters. */
  readonly name?: string;
}

export class TempApp implements AsyncDisposable {
  /** Real path of the app's folder. */
  readonly folder: string;
  /** Folder for temporary files of the processes that run the app: what they leave there is a leak. */
  readonly scratch: string;
  readonly #base: string;
  #revision = 0;

  constructor(files: Readonly<Record<string, string>>, options: TempAppOptions = {}) {
    this.#base = realpathSync(mkdtempSync(join(tmpdir(), "ur-")));
    this.folder = join(this.#base, options.name ?? "app");
    this.scratch = join(this.#base, "t");
    mkdirSync(this.folder);
    mkdirSync(this.scratch);
    const wanted = (options.packages ?? []).map((name) => name.split(" from "));
    const folders = packageFolders(wanted.map(([name = "", source = name]) => source));
    for (const [index, [name = ""]] of wanted.entries()) {
      const link = join(this.folder, "node_modules", name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(folders[index] ?? "", link, "junction");
    }
    if (!("package.json" in files)) this.write("package.json", `{ "name": "app", "private": true }\n`);
    for (const [file, text] of Object.entries(files)) this.write(file, text);
  }

  /** Rises with every change made through this object. */
  get revision(): number {
    return this.#revision;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  read(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  write(file: string, text: string | Uint8Array): void {
    this.#revision++;
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** Replaces the first `from`, which must be there, by `to`. */
  edit(file: string, from: string, to: string): void {
    const text = this.read(file);
    if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
    this.write(
      file,
      text.replace(from, () => to),
    );
  }

  /** Saves as careful editors do: a new file beside the old one, renamed over it. */
  writeAtomically(file: string, text: string): void {
    this.#revision++;
    const temporary = this.path(`${file}.tmp~`);
    writeFileSync(temporary, text);
    renameSync(temporary, this.path(file));
  }

  append(file: string, text: string): void {
    this.#revision++;
    appendFileSync(this.path(file), text);
  }

  remove(file: string): void {
    this.#revision++;
    rmSync(this.path(file), { recursive: true });
  }

  rename(from: string, to: string): void {
    this.#revision++;
    mkdirSync(dirname(this.path(to)), { recursive: true });
    renameSync(this.path(from), this.path(to));
  }

  /** Says that a test changed the folder by itself. */
  touched(): void {
    this.#revision++;
  }

  /** What processes left in the scratch folder. */
  leftInScratch(): string[] {
    return readdirSync(this.scratch, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 5 });
  }
}
