/**
 * Writes down what a start loads of node_modules. In a thread that has loaded packages ahead it compares as well: what own
 * code asks for must come in the same order as at the start before, and every package that was loaded ahead must be one
 * that could be. The first difference ends the attempt, before own code has got anything from that package.
 */
import path from "node:path";
import type { PackageLog, PackageRequest } from "../../src/common/protocol/package-log.js";
import { requestKey } from "../../src/common/protocol/request-key.js";
import type { EvaluationWatch } from "../runtime/evaluation-watch.js";
import type { FileUse } from "../runtime/file-reads.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import type { AskedPackage, EvaluationVisits, PackageRequestWatch } from "../runtime/package-watch.js";
import { Eligibility } from "./eligibility.js";
import type { LoadWatch, SeenLoad } from "./load-watch.js";
import { type PackageReach, packageFolder } from "./package-reach.js";
import { Surroundings } from "./surroundings.js";

/** What was loaded ahead in this thread. */
export interface LoadedAhead {
  /** Of the start before; those that were not loaded ahead included. */
  readonly requests: readonly PackageRequest[];
  /** Indices of those that were. */
  readonly loaded: ReadonlySet<number>;
  /** Knows the packages already. */
  readonly reach: PackageReach;
}

export interface PackageRecorderOptions {
  readonly observer: Observer;
  readonly watch: LoadWatch;
  /** The file's top level calls nothing. */
  isPassive(file: string): boolean;
  /** Tells of files that are used until the returned function is called. */
  watchFiles(used: FileUse): () => void;
  /** The app differs from what was loaded ahead for it. Must not return. */
  refuse(because: string): never;
}

export class PackageRecorder implements EvaluationVisits, EvaluationWatch, PackageRequestWatch {
  readonly #options: PackageRecorderOptions;
  readonly #requests: PackageRequest[] = [];
  readonly #visited: { file: string; before: number }[] = [];
  readonly #known = new Set<string>();
  readonly #files = new Set<string>();
  readonly #eligibility = new Eligibility();
  #surroundings: Surroundings | undefined;
  #stopWatching: (() => void) | undefined;
  /** ES modules whose imports are being evaluated, and not yet they themselves. */
  readonly #importing = new Set<string>();
  /** Own code that may have called something has run since the last request. */
  #ran = false;
  /** Packages have been loaded since the surroundings were looked at: what has changed since is their doing. */
  #loadedSince = false;
  /** Requests since then. */
  #unseen: PackageRequest[] = [];
  #changed: string | undefined;
  readonly #changedPackages = new Set<string>();
  readonly #writtenFiles = new Set<string>();
  #ahead: LoadedAhead | undefined;
  /** How many of those that were loaded ahead have not been asked for. */
  #unclaimed = 0;
  /** A module waits for something: what else is evaluated meanwhile, nobody can say. */
  #waits = false;

  constructor(options: PackageRecorderOptions) {
    this.#options = options;
  }

  /** From here on own code runs. */
  begin(ahead: LoadedAhead | undefined): void {
    this.#ahead = ahead;
    this.#unclaimed = ahead?.loaded.size ?? 0;
    this.#surroundings = new Surroundings();
    const stops = [
      this.#options.observer.watchEvaluations(this),
      this.#options.watchFiles((file, writes) => {
        if (writes) this.#writtenFiles.add(file).add(path.dirname(file));
      }),
    ];
    this.#stopWatching = () => {
      for (const stop of stops) stop();
    };
  }

  /** The app has been evaluated. */
  end(): void {
    if (this.#unclaimed > 0) {
      const next = this.#ahead?.requests[this.#requests.length];
      this.#options.refuse(`the app did not ask for ${next?.file ?? "a package"} any more`);
    }
    this.#close();
  }

  /** The app has thrown: what it did not come to load makes no difference. */
  abandon(): void {
    this.#unclaimed = 0;
    this.#close();
  }

  get log(): PackageLog {
    return { requests: this.#requests, visited: this.#visited };
  }

  /** The evaluation of an own file begins, `withImports` with that of what it imports. */
  visiting(file: string, withImports: boolean): void {
    if (this.#surroundings === undefined) return;
    if (withImports) this.#importing.add(file);
    this.#options.watch.note(`loads the app's ${file}`);
    if (this.#files.has(file)) return;
    this.#files.add(file);
    this.#visited.push({ file, before: this.#requests.length });
  }

  /** The body of an ES module is about to run: what packages have done until now is not its doing. */
  bodyBegins(file: string): void {
    this.#importing.delete(file);
    this.#lookAfterLoads();
  }

  requested<Result>(asked: AskedPackage, load: () => Result): Result {
    const { watch } = this.#options;
    if (this.#surroundings === undefined || watch.loading || this.#known.has(requestKey(asked))) return load();
    const before = this.#before(asked);
    const index = this.#requests.length;
    const known = this.#compare(asked, index);
    const isAhead = this.#ahead?.loaded.has(index) === true && known !== undefined;
    if (isAhead) this.#claim({ ...before, ...whileLoaded(known) });
    let seen: SeenLoad | undefined;
    try {
      const exports = isAhead
        ? load()
        : watch.watch(load, (load) => {
            seen = load;
          });
      this.#surroundings?.handOver(folderOf(asked.file), exports);
      return exports;
    } finally {
      this.#loadedSince ||= !isAhead;
      const { patches } = known ?? {};
      const request = { ...before, ...whileLoaded(isAhead ? known : { ...(seen ?? NOTHING_SEEN), patches }) };
      this.#requests.push(request);
      this.#unseen.push(request);
      this.#lookAfterLoads();
      if (!isAhead) this.#judge(request);
    }
  }

  requestedLater(asked: AskedPackage): void {
    if (this.#surroundings === undefined || this.#options.watch.loading || this.#known.has(requestKey(asked))) return;
    this.#compare(asked, this.#requests.length);
    const request = {
      ...this.#before(asked),
      ...whileLoaded({ ...NOTHING_SEEN, effects: ["is loaded asynchronously"] }),
    };
    this.#requests.push(request);
    this.#judge(request);
  }

  // ---- pieces of evaluations

  entering(_: ModuleEdges, outer: ModuleEdges | undefined): void {
    this.#lookAfterLoads();
    if (outer && !this.#importing.has(outer.file) && !this.#options.isPassive(outer.file)) this.#ran = true;
  }

  leaving(inner: ModuleEdges): void {
    if (!this.#options.isPassive(inner.file)) this.#ran = true;
  }

  suspending(): void {}

  resuming(): void {}

  /** What was loaded ahead is compared to the end; the order of what follows need not be the same at the next start. */
  waiting(): void {
    this.#waits = true;
    if (this.#unclaimed === 0) this.#close();
  }

  settled(): void {}

  // ---- the rest

  #before(asked: AskedPackage): Omit<PackageRequest, keyof SeenLoad | "patches"> {
    const { kind, file, importer, attributes, isStatic } = asked;
    this.#known.add(requestKey(asked));
    if (!isStatic && !(importer !== undefined && this.#options.isPassive(importer))) this.#ran = true;
    if (this.#ran) this.#lookForOwnChanges();
    const afterOwnCode = this.#ran;
    this.#ran = false;
    return {
      kind,
      file,
      ...(importer !== undefined && { importer }),
      attributes: attributes && { ...attributes },
      afterOwnCode,
      ...(this.#changed !== undefined && { changed: this.#changed }),
      changedPackages: [...this.#changedPackages],
      writtenFiles: [...this.#writtenFiles],
      changedVariables: this.#surroundings?.changedVariables() ?? [],
      mainModule: process.mainModule !== undefined,
    };
  }

  #lookForOwnChanges(): void {
    const found = this.#surroundings?.look();
    this.#changed ??= found?.process;
    for (const folder of found?.packages ?? []) this.#changedPackages.add(folder);
    // What packages did at the same time cannot be told apart: it counts as own.
    this.#loadedSince = false;
    this.#unseen = [];
  }

  #lookAfterLoads(): void {
    if (!this.#loadedSince || !this.#surroundings) return;
    this.#loadedSince = false;
    const { process, packages } = this.#surroundings.look();
    const patches = [...packages, ...(process === undefined ? [] : ["*"])];
    for (const request of this.#unseen.splice(0)) request.patches.push(...patches);
  }

  /** The request of the start before, at this place. */
  #compare(asked: AskedPackage, index: number): PackageRequest | undefined {
    const known = this.#ahead?.requests[index];
    if (this.#unclaimed === 0) return undefined;
    if (known && requestKey(known) === requestKey(asked)) return known;
    return this.#options.refuse(`the app asked for ${asked.file} where it used to ask for ${known?.file ?? "nothing"}`);
  }

  #claim(request: PackageRequest): void {
    const because = this.#judge(request);
    if (because !== undefined) this.#options.refuse(`${request.file} was loaded ahead, but ${because}`);
    this.#unclaimed--;
    if (this.#unclaimed === 0 && this.#waits) this.#close();
  }

  #close(): void {
    this.#lookAfterLoads();
    this.#surroundings?.close();
    this.#surroundings = undefined;
    this.#stopWatching?.();
  }

  #judge(request: PackageRequest): string | undefined {
    if (this.#ahead === undefined) return undefined;
    return this.#eligibility.next(judged(request, this.#ahead.reach));
  }
}

type KeptOfLoad = Omit<SeenLoad, "packageFiles">;

const NOTHING_SEEN: KeptOfLoad = { effects: [], variables: [], files: [], packages: [], durationMs: 0 };

function whileLoaded(
  load: KeptOfLoad & { readonly patches?: readonly string[] | undefined },
): KeptOfLoad & { patches: string[] } {
  const { effects, variables, files, packages, durationMs, patches = [] } = load;
  return { effects, variables, files, packages, durationMs, patches: [...patches] };
}

function folderOf(file: string): string {
  return packageFolder(file) ?? file;
}

/** A request with what its package reaches. */
export function judged(request: PackageRequest, reach: PackageReach) {
  return { ...request, folder: folderOf(request.file), reaches: reach.of(request.file, request.packages) };
}
