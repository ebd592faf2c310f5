/**
 * Files that are read and folders that are listed while a module is evaluated, and by what it leaves to go on: they count as
 * its dependencies. The functions of `node:fs` that do so are wrapped for the whole thread; a call that no evaluation makes
 * costs one check. What the app itself writes is its state, not a dependency, and is reported as written. (Above 350 lines:
 * what is wrapped stands in one file, which workers/ledger/caller.ts passes over.)
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { FOLDER, hashSource, MISSING, PRESENT } from "../../src/common/compile/hash.js";
import { linksOn } from "../../src/common/links.js";
import { Nesting } from "../../src/common/nesting.js";
import { isBelowPackages, packageOf } from "../../src/common/paths.js";
import { isObject, isProxy } from "../../src/common/untouched.js";
import { callerOf } from "../ledger/caller.js";
import { fileStats } from "../pipe-stats.js";
import {
  absolutePath,
  filesIn,
  foldersBelow,
  hashOfContent,
  isForReading,
  isRecursive,
  markOfLarge,
  NOT_COUNTED,
} from "./file-arguments.js";
import {
  ASKING,
  CHANGING,
  COPYING,
  FOLLOWING,
  LINKING,
  LISTING,
  LOOKING,
  MAKING,
  MOVING,
  OPENING,
  READING,
  READING_LINKS,
  REMOVING,
  WRITING,
} from "./fs-functions.js";
import type { FileUseKind, ModuleEdges } from "./module-edges.js";
import { RepeatedUses } from "./repeated-uses.js";
import { StatReaders } from "./stat-readers.js";

export interface FileReadsOptions {
  /** What lies below it counts; outside, only what own code reads itself. */
  readonly root: string | undefined;
  /** The module to which what happens now is attributed, however long after its evaluation. */
  reader(): ModuleEdges | undefined;
  /** Whether modules are evaluated, or watched going on. */
  isActive?(): boolean;
  /** The callback of a timer that comes again and again, if such runs now. */
  repetition?(): object | undefined;
  /** Stands for the turn of the event loop in which an `async` function of a module goes on, if one does. */
  continuedTurn?(): object | undefined;
  /** Those that are loaded, or being loaded. */
  versions(): Iterable<ModuleEdges>;
  /** The text of an own module. */
  sourceOf?(file: string): string | undefined;
  /** The app writes a file that a module has read, or into a folder that one has listed. */
  written(file: string): void;
  /** Who wants to know what no evaluation reads. */
  readonly late?: LateFileUses | undefined;
  /** Whether it is the file of a module. */
  isModule(file: string): boolean;
  /** The app writes the file of a module; `hash`: of what will be in it, undefined when that is not known yet. */
  moduleWritten(file: string, hash: string | undefined): void;
  /** A file of a package is read as data, or a folder listed, for a module or a package that is being evaluated; or it is written. */
  packageUsed?(file: string, writes: boolean): void;
  /** The same asks for one that is not there. */
  packageSought?(specifier: string, importer: string): void;
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
type Call = (...args: never[]) => unknown;
/** `asks`: that of something is there is of no concern to who loads packages ahead. */
type Kind = "reads" | "asks" | "writes";
/** `call`: the function that was called, which is on the stack. */
type Note = (args: readonly unknown[], call: Call) => void;

/** In `process.getActiveResourcesInfo()`: callbacks and promises of `node:fs`, streams of files. */
const FILE_REQUESTS: ReadonlySet<string> = new Set(["FSReqCallback", "FSReqPromise", "FILEHANDLECLOSEREQ"]);
/** What dotenv and its like read: `.env`, `.env.local`, `test.env`. */
const VARIABLES = /[\\/](?:\.env(?:\.[^\\/]*)?|[^\\/]+\.env)$/;
/** What is in there is other each time that it is read. */
const OF_SYSTEM = /^\/(?:proc|sys|dev|run)(?:\/|$)/;

export class FileReads {
  readonly #options: FileReadsOptions;
  readonly #statReaders: StatReaders;
  /** What modules have read or listed while they were evaluated; what only old versions have goes in `#sweep`. */
  readonly #known = new Set<string>();
  /** Size of `#known` at which it is swept. */
  #sweepAt = FIRST_SWEEP;
  readonly #restores: (() => void)[] = [];
  /** A module has begun to read something and goes on with it later, since `startOver`. */
  #goesOn = false;
  readonly #ownWork = new Nesting();
  readonly #packageLoads = new Nesting();
  /** Whose evaluation loads the package that is being loaded now. */
  #loadingFor: ModuleEdges | undefined;
  /** What was read before the app is: only a fresh thread reads it again. */
  #early: Map<string, string | undefined> | undefined;
  #beforeApp = new Map<string, string | undefined>();
  /** Told of every use, below the root or not. */
  #onUse: FileUse | undefined;

  constructor(options: FileReadsOptions) {
    this.#options = options;
    this.#statReaders = new StatReaders((file) => options.sourceOf?.(file));
  }

  /** Wraps the functions of `node:fs` until `uninstall`. */
  install(): void {
    for (const functions of [fs, fs.promises] as unknown as Functions[]) {
      const wrap = (names: readonly string[], kind: Kind, note: Note): void => {
        for (const name of names) this.#wrap(functions, name, kind, note);
      };
      wrap(READING, "reads", ([file], call) => this.#onRead(file, call));
      wrap(LOOKING, "reads", ([file], call) => this.#onLook(file, call));
      wrap(ASKING, "asks", ([file], call) => this.#onStat(file, call));
      const follow: Note = ([file, options], call) => this.#onFollow(file, options, call, false);
      wrap(FOLLOWING, "asks", follow);
      wrap(READING_LINKS, "asks", ([file, options], call) => this.#onFollow(file, options, call, true));
      for (const name of FOLLOWING)
        if (isObject(functions[name])) this.#wrap(functions[name] as unknown as Functions, "native", "asks", follow);
      wrap(LISTING, "reads", ([folder, options], call) => this.#onList(folder, options, call));
      wrap(OPENING, "reads", ([file, flags], call) => {
        if (isForReading(flags)) this.#onRead(file, call);
        else this.#onWrite(file);
      });
      wrap(WRITING, "writes", ([file, text, options]) => this.#onWrite(file, () => hashOfContent(text, options)));
      wrap(CHANGING, "writes", ([file]) => this.#onWrite(file));
      wrap(COPYING, "writes", ([from, to, options], call) => this.#onCopy(from, to, options, call));
      wrap(MOVING, "writes", ([from, to]) => {
        this.#onWrite(to, () => this.#hashAt(from));
        this.#onChangeBelow(from);
        this.#onChangeBelow(to, from);
      });
      wrap(REMOVING, "writes", ([file]) => this.#onChangeBelow(file));
      wrap(MAKING, "writes", ([folder]) => this.#onMake(folder));
      wrap(LINKING, "writes", ([, link]) => this.#onWrite(link));
    }
    // It reads the file without `node:fs`.
    const variables: Note = ([given], call) => this.#onRead(given ?? ".env", call, true);
    this.#wrap(process as unknown as Functions, "loadEnvFile", "reads", variables);
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
      return this.#packageLoads.run(run);
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

  #wrap(functions: Functions, name: string, kind: Kind, note: Note): void {
    const original = functions[name];
    if (typeof original !== "function") return;
    const self = this;
    const goesOn = kind !== "writes" && !name.endsWith("Sync");
    function wrapped(this: unknown, ...args: unknown[]): unknown {
      if (self.#onUse && kind !== "asks") self.#tellUse(args, kind === "writes");
      note(args, wrapped);
      if (goesOn && self.#reader()?.open) self.#goesOn = true;
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

  #onRead(argument: unknown, call: Call, isOfVariables = false): void {
    const edges = this.#reader();
    const early = this.#ownWork.isUnderWay ? undefined : this.#early;
    if (!edges && !early) {
      if (this.#mayBeOfPackages) this.#counted(argument, edges, call);
      this.#onLateRead(argument);
      return;
    }
    const file = this.#counted(argument, edges, call);
    if (file === undefined) return;
    if (!edges) {
      if (early && !early.has(file)) early.set(file, this.hashOf(file));
      return;
    }
    this.#used(edges, file, isOfVariables || VARIABLES.test(file));
    if (this.#comesNew(edges, "reads", file)) edges.readsFile(file, this.hashOf(file));
  }

  /** Whether the file is there, and as what, is all that is asked. */
  #onLook(argument: unknown, call: Call): void {
    const edges = this.#reader();
    const early = this.#ownWork.isUnderWay ? undefined : this.#early;
    if (!edges && !early) {
      this.#onLateRead(argument);
      return;
    }
    const file = this.#counted(argument, edges, call, true);
    if (file === undefined) return;
    if (!edges) {
      if (early && !early.has(file)) early.set(file, this.hashOf(file));
      return;
    }
    if (edges.reads.has(file)) return;
    this.#used(edges, file, VARIABLES.test(file));
    if (this.#comesNew(edges, "looks", file)) edges.looksAt(file, this.#presenceOf(file));
  }

  #onStat(argument: unknown, call: Call): void {
    const isAsked = this.#reader() !== undefined;
    if (!isAsked && !this.#early) return;
    const file = isAsked ? absolutePath(argument) : undefined;
    const asksMore =
      file !== undefined &&
      this.#presenceOf(file) === PRESENT &&
      !this.ignore(() => this.#statReaders.onlyAskKind(callerOf(call).file));
    if (asksMore) this.#onRead(file, call);
    else this.#onLook(argument, call);
  }

  /** Where links on the way lead counts; `readlink` asks of one, which may be none now. */
  #onFollow(argument: unknown, options: unknown, call: Call, isOne: boolean): void {
    // Of Node's own, which looks where modules are.
    if (isObject(options) && !isProxy(options) && Object.getOwnPropertySymbols(options).length > 0) return;
    const edges = this.#reader();
    if (edges || this.#early) this.#onLook(argument, call);
    const file = edges && this.#counted(argument, edges, call, true);
    if (!edges || file === undefined) return;
    const crossed = this.ignore(() => linksOn(file, this.#options.root ?? file));
    for (const link of isOne ? new Set([file, ...crossed]) : crossed) {
      if (NOT_COUNTED.test(link)) continue;
      this.#known.add(link);
      this.#used(edges, link);
      if (this.#comesNew(edges, "links", link)) edges.followsLink(link);
    }
  }

  /** Whether this use of a file is one that counts and has not been noted. */
  #comesNew(edges: ModuleEdges, kind: FileUseKind, file: string): boolean {
    const { repetition, continuedTurn } = this.#options;
    const callback = repetition?.() ?? (kind === "looks" ? continuedTurn?.() : undefined);
    const use = `${kind} ${file}`;
    if (callback === undefined) {
      edges.repeated?.drop(use);
      return !edges[kind].has(file);
    }
    const isOfEvaluation = edges[kind].has(file) && !edges.repeated?.has(use);
    // What was read has gone into something; what is looked for again and again is waited for.
    if (isOfEvaluation && kind !== "looks") return false;
    edges.repeated ??= new RepeatedUses();
    const taken = edges.repeated.take(use, callback);
    if (taken === "again") edges.leaves(kind, file);
    return taken === "first" && !isOfEvaluation;
  }

  #onLateRead(argument: unknown): void {
    const { late, isModule } = this.#options;
    if (!late || this.#ownWork.isUnderWay) return;
    const file = absolutePath(argument);
    if (file !== undefined && this.#isBelowRoot(file) && !NOT_COUNTED.test(file) && !isModule(file)) late.read(file);
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
        if (stats && !stats.isFile()) return stats.isDirectory() ? FOLDER : MISSING;
        return (stats && markOfLarge(file, stats)) ?? hashSource(fs.readFileSync(file));
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        if (code === undefined) throw error;
        return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" ? MISSING : undefined;
      }
    });
  }

  #presenceOf(file: string): string | undefined {
    return this.ignore(() => {
      try {
        const stats = fileStats(file);
        if (stats?.isFile()) return PRESENT;
        return stats?.isDirectory() ? FOLDER : MISSING;
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        if (code === undefined) throw error;
        return code === "ENOTDIR" ? MISSING : undefined;
      }
    });
  }

  /** A package that is not there, or a file of one, is asked for. */
  soughtPackage(specifier: string, importer: string): void {
    if (this.#reader() || this.#packageLoads.isUnderWay)
      this.ignore(() => this.#options.packageSought?.(specifier, importer));
  }

  /** It leads to this file of a package. */
  foundOfPackage(file: string): void {
    this.#options.packageUsed?.(file, false);
  }

  /** Whether what is read now would count. */
  get isReading(): boolean {
    return this.#reader() !== undefined;
  }

  /** What is evaluated has looked for a module, which would be any of `files`, and is `found`. */
  lookedFor(files: () => readonly string[], found?: string): void {
    const edges = this.#reader();
    if (!edges) return;
    const all = this.ignore(files);
    for (const file of found === undefined || all.includes(found) ? all : [...all, found]) {
      if (NOT_COUNTED.test(file) || !this.#isBelowRoot(file)) continue;
      const presence = this.#presenceOf(file);
      // One that is there is none for us: hooks may load it.
      if (presence !== MISSING && file !== found) continue;
      this.#known.add(file);
      this.#used(edges, file);
      if (this.#comesNew(edges, "looks", file)) edges.looksAt(file, presence);
    }
  }

  #onList(argument: unknown, options: unknown, call: Call): void {
    const edges = this.#reader();
    const folder = edges || this.#mayBeOfPackages ? this.#counted(argument, edges, call, false, true) : undefined;
    if (!edges || folder === undefined) return;
    this.#lists(edges, isRecursive(options) ? this.ignore(() => foldersBelow(folder)) : [folder]);
  }

  #lists(edges: ModuleEdges, folders: Iterable<string>): void {
    for (const listed of folders) {
      if (NOT_COUNTED.test(listed)) continue;
      this.#known.add(listed);
      this.#used(edges, listed);
      if (this.#comesNew(edges, "lists", listed)) edges.listsFolder(listed);
    }
  }

  #onWrite(argument: unknown, hash: () => string | undefined = () => undefined): void {
    if (this.#ownWork.isUnderWay) return;
    const file = absolutePath(argument);
    if (file === undefined) return;
    this.#options.late?.written(file);
    if (this.#known.has(file) || this.#known.has(path.dirname(file))) this.#options.written(file);
    if (this.#options.isModule(file)) this.#options.moduleWritten(file, hash());
    if (isBelowPackages(file)) this.#options.packageUsed?.(file, true);
  }

  /** What is there goes, or comes, with all below. */
  #onChangeBelow(argument: unknown, isThereAs = argument): void {
    if (this.#ownWork.isUnderWay) return;
    const [file, there] = [absolutePath(argument), absolutePath(isThereAs)];
    if (file === undefined || there === undefined) return;
    if (this.#known.has(file) || this.#known.has(path.dirname(file))) this.#options.written(file);
    if (isBelowPackages(file)) this.#options.packageUsed?.(file, true);
    if (this.#known.size === 0 || this.#presenceOf(there) !== FOLDER) return;
    for (const known of this.#known) if (known.startsWith(file + path.sep)) this.#options.written(known);
  }

  /** With those above it that are not there. */
  #onMake(argument: unknown): void {
    if (this.#ownWork.isUnderWay) return;
    let folder = absolutePath(argument);
    while (folder !== undefined) {
      const above = path.dirname(folder);
      const isKnown = this.#known.has(folder) || this.#known.has(above);
      if (isKnown && this.#presenceOf(folder) === MISSING) this.#options.written(folder);
      folder = above === folder ? undefined : above;
    }
  }

  #onCopy(from: unknown, to: unknown, options: unknown, call: Call): void {
    const [source, target] = [absolutePath(from), absolutePath(to)];
    if (source === undefined || target === undefined || this.#ownWork.isUnderWay) return;
    if (!isRecursive(options) || this.#presenceOf(source) !== FOLDER) {
      this.#onRead(source, call);
      this.#onWrite(target, () => this.hashOf(source));
      return;
    }
    const edges = this.#reader();
    const folders = [...this.ignore(() => foldersBelow(source))];
    if (edges && this.#counted(source, edges, call) !== undefined) this.#lists(edges, folders);
    for (const folder of folders) {
      const copy = target + folder.slice(source.length);
      this.#onWrite(copy);
      for (const file of this.ignore(() => filesIn(folder))) {
        if (edges) this.#onRead(file, call);
        this.#onWrite(path.join(copy, path.basename(file)), () => this.hashOf(file));
      }
    }
  }

  #hashAt(argument: unknown): string | undefined {
    const file = absolutePath(argument);
    return file === undefined ? undefined : this.hashOf(file);
  }

  /** Packages that are ES modules are loaded by and by. */
  get #mayBeOfPackages(): boolean {
    return this.#onUse !== undefined || this.#packageLoads.isUnderWay || this.#options.isActive?.() === true;
  }

  #reader(): ModuleEdges | undefined {
    return this.#ownWork.isUnderWay ? undefined : this.#options.reader();
  }

  /** What is used by the function `call`, if it counts for a module; what packages read of packages is told here. */
  #counted(
    argument: unknown,
    edges: ModuleEdges | undefined,
    call: Call,
    isLook = false,
    lists = false,
  ): string | undefined {
    const file = absolutePath(argument);
    if (file === undefined || this.#options.root === undefined) return undefined;
    if (NOT_COUNTED.test(file)) {
      if (!this.#ownWork.isUnderWay && this.#isOfPackages(file, isLook, lists, call))
        this.#options.packageUsed?.(file, false);
      return undefined;
    }
    if (!edges && !this.#early) return undefined;
    if (!this.#isBelowRoot(file) && !(edges && this.#isOfOwnCode(file, lists, call))) return undefined;
    this.#known.add(file);
    if (this.#known.size > this.#sweepAt) this.#sweep(file);
    return file;
  }

  /** Packages look around among each other; which ones there are matters to own code only. */
  #isOfPackages(file: string, isLook: boolean, lists: boolean, call: Call): boolean {
    const isWithin = isOfPackage(file);
    if (isWithin && !isLook) return true;
    return (isWithin || (lists && path.basename(file) === "node_modules")) && callerOf(call).kind === "own";
  }

  #isBelowRoot(file: string): boolean {
    const { root } = this.#options;
    return root !== undefined && (file === root || file.startsWith(root + path.sep));
  }

  /** Elsewhere packages read what is the system's, and much of it. */
  #isOfOwnCode(file: string, lists: boolean, call: Call): boolean {
    if (OF_SYSTEM.test(file)) return false;
    // In the folder of temporary files, and in those of a whole disk, too much goes on.
    if (lists && path.dirname(path.dirname(file)) === path.dirname(file)) return false;
    return callerOf(call).kind === "own";
  }

  /** Names that are new at each evaluation would be kept for ever. */
  #sweep(newest: string): void {
    this.#known.clear();
    for (const { reads, looks, links, lists } of this.#options.versions()) {
      for (const file of reads.keys()) this.#known.add(file);
      for (const file of looks.keys()) this.#known.add(file);
      for (const link of links) this.#known.add(link);
      for (const folder of lists) this.#known.add(folder);
    }
    this.#known.add(newest);
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#known.size);
  }
}

/** Within a package, and not in a folder where tools keep what they have made for themselves (`node_modules/.cache`). */
function isOfPackage(file: string): boolean {
  return packageOf(file)?.name.startsWith(".") === false;
}
