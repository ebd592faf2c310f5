/**
 * Files that are read and folders that are listed while a module is evaluated: they count as its dependencies. The
 * functions of `node:fs` that do so are wrapped for the whole thread; a call that no evaluation makes costs one check.
 * What the app itself writes is its state, not a dependency, and is reported as written.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hashSource, largeMark, MISSING } from "../../src/common/compile/hash.js";
import { Nesting } from "../../src/common/nesting.js";
import { inherits, isObject, ownValue } from "../../src/common/untouched.js";
import { fileStats } from "../pipe-stats.js";
import type { ModuleEdges } from "./module-edges.js";

export interface FileReadsOptions {
  /** Only what lies below it counts. */
  readonly root: string | undefined;
  /** The module to which what happens now is attributed. */
  reader(): ModuleEdges | undefined;
  /** Those that are loaded, or being loaded. */
  versions(): Iterable<ModuleEdges>;
  /** The app writes a file that a module has read, or into a folder that one has listed. */
  written(file: string): void;
  /** Who wants to know what no evaluation reads. */
  readonly late?: LateFileUses | undefined;
  /** Whether it is the file of a module. */
  isModule(file: string): boolean;
  /** The app writes the file of a module; `hash`: of what will be in it, undefined when that is not known yet. */
  moduleWritten(file: string, hash: string | undefined): void;
}

export interface LateFileUses {
  read(file: string): void;
  written(file: string): void;
}

/** `writes`: the call may change the file. */
export type FileUse = (file: string, writes: boolean) => void;

/** A set of paths that is smaller is not worth a look. */
const FIRST_SWEEP = 1000;

type Functions = Record<string, unknown>;

const READING = ["readFileSync", "readFile", "createReadStream", "existsSync", "accessSync", "access", "openAsBlob"];
const LISTING = ["readdirSync", "readdir", "opendirSync", "opendir"];
/** Those that write what their second argument names. */
const COPYING = ["renameSync", "rename", "copyFileSync", "copyFile"];
const WRITING = ["writeFileSync", "writeFile"];
/** Those that do not say what will be in the file. */
const CHANGING = ["appendFileSync", "appendFile", "createWriteStream", "truncateSync", "truncate"];
const OPENING = ["openSync", "open"];
/** Flags with which a file is only read. */
const READS_ONLY: ReadonlySet<unknown> = new Set([undefined, null, "r", "rs", "sr", fs.constants.O_RDONLY]);
/** In `process.getActiveResourcesInfo()`: callbacks and promises of `node:fs`, streams of files. */
const FILE_REQUESTS: ReadonlySet<string> = new Set(["FSReqCallback", "FSReqPromise", "FILEHANDLECLOSEREQ"]);
/** What dotenv and its like read: `.env`, `.env.local`, `test.env`. */
const VARIABLES = /[\\/](?:\.env(?:\.[^\\/]*)?|[^\\/]+\.env)$/;
const NOT_COUNTED = /[\\/](node_modules|\.git)([\\/]|$)/;

export class FileReads {
  readonly #options: FileReadsOptions;
  /** What modules have read or listed while they were evaluated; what only old versions have goes in `#sweep`. */
  readonly #known = new Set<string>();
  /** Size of `#known` at which it is swept. */
  #sweepAt = FIRST_SWEEP;
  readonly #restores: (() => void)[] = [];
  /** A module has begun to read something and goes on with it later, since `startOver`. */
  #goesOn = false;
  readonly #ownWork = new Nesting();
  /** Whose evaluation loads the package that is being loaded now. */
  #loadingFor: ModuleEdges | undefined;
  /** What was read before the app is: only a fresh thread reads it again. */
  #early: Map<string, string | undefined> | undefined;
  #beforeApp = new Map<string, string | undefined>();
  /** Told of every use, below the root or not. */
  #onUse: FileUse | undefined;

  constructor(options: FileReadsOptions) {
    this.#options = options;
  }

  /** Wraps the functions of `node:fs` until `uninstall`. */
  install(): void {
    for (const functions of [fs, fs.promises] as unknown as Functions[]) {
      for (const name of READING) this.#wrap(functions, name, false, (file) => this.#onRead(file));
      for (const name of LISTING)
        this.#wrap(functions, name, false, (folder, options) => this.#onList(folder, options));
      for (const name of WRITING)
        this.#wrap(functions, name, true, (file, text, options) =>
          this.#onWrite(file, () => hashOfContent(text, options)),
        );
      for (const name of CHANGING) this.#wrap(functions, name, true, (file) => this.#onWrite(file));
      for (const name of COPYING)
        this.#wrap(functions, name, true, (from, file) => this.#onWrite(file, () => this.#hashAt(from)));
      for (const name of OPENING) {
        this.#wrap(functions, name, false, (file, flags) => {
          if (!READS_ONLY.has(flags) && typeof flags !== "function") this.#onWrite(file);
        });
      }
    }
    // It reads the file without `node:fs`.
    const variables = (given: unknown) => this.#onRead(given ?? ".env", true);
    this.#wrap(process as unknown as Functions, "loadEnvFile", false, variables);
    syncBuiltinESMExports();
  }

  uninstall(): void {
    for (const restore of this.#restores.splice(0)) restore();
    syncBuiltinESMExports();
  }

  /** Modules are evaluated from here on. */
  startOver(): void {
    this.#goesOn = false;
  }

  /** Whether what modules have begun to read since `startOver` may not be over. */
  get mayGoOn(): boolean {
    return this.#goesOn && process.getActiveResourcesInfo().some((type) => FILE_REQUESTS.has(type));
  }

  /** Runs work of the supervisor's own: what it reads is nobody's dependency. */
  ignore<Result>(run: () => Result): Result {
    return this.#ownWork.run(run);
  }

  /** Runs the loading of a package. What its top level uses is read once in a thread, whatever is evaluated again. */
  loadingPackage<Result>(run: () => Result): Result {
    const outer = this.#loadingFor;
    this.#loadingFor = this.#reader();
    try {
      return run();
    } finally {
      this.#loadingFor = outer;
    }
  }

  /** Runs what comes before the app: what it reads counts with the first module that is evaluated. */
  async beforeApp(run: () => Promise<void>): Promise<void> {
    this.#early = new Map();
    try {
      await run();
    } finally {
      this.#beforeApp = this.#early;
      this.#early = undefined;
    }
  }

  /** Gives what was read before the app to a module, once. */
  giveEarlyReads(edges: ModuleEdges): void {
    for (const [file, hash] of this.#beforeApp) {
      edges.packageUses(file);
      edges.readsFile(file, hash);
    }
    this.#beforeApp = new Map();
  }

  /** Tells of files that are used until the returned function is called; who was told before, is again. */
  watchUses(used: FileUse): () => void {
    const before = this.#onUse;
    this.#onUse = used;
    return () => {
      this.#onUse = before;
    };
  }

  #wrap(functions: Functions, name: string, writes: boolean, note: (...given: unknown[]) => void): void {
    const original = functions[name];
    if (typeof original !== "function") return;
    const self = this;
    const goesOn = !writes && !name.endsWith("Sync");
    function wrapped(this: unknown, ...args: unknown[]): unknown {
      if (self.#onUse) self.#tellUse(args, writes);
      note(...args);
      if (goesOn && self.#reader()) self.#goesOn = true;
      return Reflect.apply(original as (...args: unknown[]) => unknown, this, args);
    }
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
    functions[name] = wrapped;
    this.#restores.push(() => {
      if (functions[name] === wrapped) functions[name] = original;
    });
  }

  /** A copy uses both files. */
  #tellUse(args: readonly unknown[], writes: boolean): void {
    if (this.#ownWork.isUnderWay) return;
    for (const argument of writes ? args.slice(0, 2) : args.slice(0, 1)) {
      const file = absolutePath(argument);
      if (file !== undefined) this.#onUse?.(file, writes);
    }
  }

  #onRead(argument: unknown, isOfVariables = false): void {
    const edges = this.#reader();
    const early = this.#ownWork.isUnderWay ? undefined : this.#early;
    if (!edges && !early) {
      this.#onLateRead(argument);
      return;
    }
    const file = this.#counted(argument);
    if (file === undefined) return;
    if (!edges) {
      if (early && !early.has(file)) early.set(file, this.hashOf(file));
      return;
    }
    this.#used(edges, file, isOfVariables || VARIABLES.test(file));
    if (!edges.reads.has(file)) edges.readsFile(file, this.hashOf(file));
  }

  #onLateRead(argument: unknown): void {
    const { late, isModule } = this.#options;
    if (!late || this.#ownWork.isUnderWay) return;
    const file = absolutePath(argument);
    if (file !== undefined && this.#isBelowRoot(file) && !isModule(file)) late.read(file);
  }

  /** `isWide`: what has looked at the environment since depends on it as well, which nobody sees. */
  #used(edges: ModuleEdges, file: string, isWide = false): void {
    // A module that the package loads in its turn is the reader itself.
    if (isWide || edges === this.#loadingFor) edges.packageUses(file);
  }

  /**
   * What was in the file when it was read: it may be edited before the supervisor looks at it. Pipes, sockets and devices
   * are left alone: what is read from them is gone for the app, and may never come.
   */
  hashOf(file: string): string | undefined {
    return this.ignore(() => {
      try {
        const stats = fileStats(file);
        if (stats && !stats.isFile()) return MISSING;
        return (stats && markOfLarge(file, stats)) ?? hashSource(fs.readFileSync(file));
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        if (code === undefined) throw error;
        return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" ? MISSING : undefined;
      }
    });
  }

  /** What is evaluated has looked for a module in vain, which would be one of `files`. */
  lookedFor(files: () => readonly string[]): void {
    const edges = this.#reader();
    if (!edges) return;
    for (const file of this.ignore(files)) {
      // One that is there is none for us: hooks may load it.
      if (this.hashOf(file) !== MISSING || this.#counted(file) === undefined) continue;
      this.#used(edges, file);
      if (!edges.reads.has(file)) edges.readsFile(file, MISSING);
    }
  }

  #onList(argument: unknown, options: unknown): void {
    const edges = this.#reader();
    const folder = edges && this.#counted(argument);
    if (!edges || folder === undefined) return;
    const isDeep = isObject(options) && ownValue(options, "recursive") === true;
    for (const listed of isDeep ? this.ignore(() => foldersBelow(folder)) : [folder]) {
      if (this.#counted(listed) === undefined) continue;
      this.#used(edges, listed);
      edges.listsFolder(listed);
    }
  }

  #onWrite(argument: unknown, hash: () => string | undefined = () => undefined): void {
    if (this.#ownWork.isUnderWay) return;
    const file = absolutePath(argument);
    if (file === undefined) return;
    this.#options.late?.written(file);
    if (this.#known.has(file) || this.#known.has(path.dirname(file))) this.#options.written(file);
    if (this.#options.isModule(file)) this.#options.moduleWritten(file, hash());
  }

  #hashAt(argument: unknown): string | undefined {
    const file = absolutePath(argument);
    return file === undefined ? undefined : this.hashOf(file);
  }

  #reader(): ModuleEdges | undefined {
    return this.#ownWork.isUnderWay ? undefined : this.#options.reader();
  }

  #counted(argument: unknown): string | undefined {
    const file = absolutePath(argument);
    if (file === undefined || !this.#isBelowRoot(file)) return undefined;
    this.#known.add(file);
    if (this.#known.size > this.#sweepAt) this.#sweep(file);
    return file;
  }

  #isBelowRoot(file: string): boolean {
    const { root } = this.#options;
    if (root === undefined || NOT_COUNTED.test(file)) return false;
    return file === root || file.startsWith(root + path.sep);
  }

  /** Names that are new at each evaluation would be kept for ever. */
  #sweep(newest: string): void {
    this.#known.clear();
    for (const { reads, lists } of this.#options.versions()) {
      for (const file of reads.keys()) this.#known.add(file);
      for (const folder of lists) this.#known.add(folder);
    }
    this.#known.add(newest);
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#known.size);
  }
}

/** Of a text, or of bytes, as they are written; undefined when they do not become the whole content. */
function hashOfContent(content: unknown, options: unknown): string | undefined {
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

/** The folder itself and all below it, as a recursive listing goes through them; not those of packages. */
function foldersBelow(folder: string): Iterable<string> {
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

/** Undefined when it is gone, or not to be read: the app hears of it. */
function orNothing<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/** As main has it, whose times are numbers: bigints are cut off, not rounded. */
function markOfLarge(file: string, { size }: fs.BigIntStats): string | undefined {
  if (largeMark(Number(size), 0) === undefined) return undefined;
  const stats = fs.statSync(file);
  return largeMark(stats.size, stats.mtimeMs);
}

/** File descriptors and buffers do not count. */
function absolutePath(argument: unknown): string | undefined {
  if (typeof argument === "string") return path.resolve(argument);
  if (!isObject(argument) || !inherits(argument, URL.prototype)) return undefined;
  try {
    return path.resolve(fileURLToPath(argument as URL));
  } catch (error) {
    // No file of this machine: Node will say so.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
