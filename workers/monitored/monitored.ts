/**
 * What modules have asked for by `unreloader.require()`, `autoload()`, `recordDependency()` and `recordSplitClass()`. It
 * holds for the version that was being evaluated, or in whose text the call stands, until that is purged. The supervisor
 * is told of it, finds out what comes and goes, and plans its loading; this loads what is there when the call is made.
 */
import { HOOK_MS } from "../../src/common/deadlines.js";
import type { AskingFile, AutoloadRequest, MonitoredHost, MonitorRequest } from "../../src/common/protocol/app-host.js";
import type { Asks } from "../../src/common/protocol/messages.js";
import type { PlanOrder } from "../../src/common/protocol/orders.js";
import { withDeadline } from "../../src/common/wait.js";
import type { PlanParticipant } from "../plan-participant.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Waits } from "../waits.js";
import { AutoloadNames } from "./autoload-names.js";

export interface MonitoredOptions {
  /** Knows what is waited for; absent: nobody asks. */
  readonly waits?: Waits | undefined;
  readonly entry: string;
  /** Whether what is autoloaded waits for its first read. */
  readonly autoload: boolean;
  /** Names of classes that the supervisor's host has given. */
  readonly classNames: Readonly<Record<string, readonly string[]>>;
  readonly runtime: () => MonitoredRuntime;
  /** The version to which what happens now belongs; undefined in requests. */
  owner(): ModuleEdges | undefined;
  outside<Result>(run: () => Result): Result;
  /** To be undone when the version is purged. */
  record(what: string, undo: () => void, owner: ModuleEdges): void;
  failed(file: string, what: string, error: unknown): void;
}

export interface MonitoredRuntime {
  currentVersion(file: string): ModuleEdges | undefined;
  isCurrent(version: ModuleEdges): boolean;
  import(file: string): Promise<object>;
  loadSync(file: string): void;
  require(file: string): unknown;
  ignoringReads<Result>(run: () => Result): Result;
}

type MonitoredPlan = Pick<PlanOrder, "pruned" | "lookupsChanged" | "classNames">;

interface Monitor {
  readonly request: MonitorRequest;
  readonly version: ModuleEdges;
  readonly lazy: boolean;
  /** As of the last look. */
  files: readonly string[];
  /** Those of `files` that it has loaded. */
  readonly loaded: Set<string>;
  readonly autoload: AutoloadNames | undefined;
}

const NOTHING_ASKED: Asks = { monitors: [], dependencies: [], splits: [] };

export class Monitored implements MonitoredHost, PlanParticipant<MonitoredPlan> {
  readonly #options: MonitoredOptions;
  #classNames: Readonly<Record<string, readonly string[]>>;
  /** In order of their calls. One goes when a plan has been applied, or given up, and its version is not current. */
  #monitors: Monitor[] = [];
  /** What is to be told when the plan under way has been applied. */
  #deleted: { readonly file: string; readonly tell: () => Promise<unknown> }[] = [];

  constructor(options: MonitoredOptions) {
    this.#options = options;
    this.#classNames = options.classNames;
  }

  unobserved<Result>(run: () => Result): Result {
    return this.#runtime.ignoringReads(run);
  }

  async require(request: MonitorRequest): Promise<void> {
    const monitor = this.#monitor(request, false, undefined);
    try {
      for (const file of monitor.files) {
        monitor.loaded.add(file);
        await this.#runtime.import(file);
      }
    } finally {
      this.#tell(monitor.version);
    }
  }

  requireSync(request: MonitorRequest): void {
    const monitor = this.#monitor(request, false, undefined);
    this.#loadAll(monitor);
  }

  autoload(request: AutoloadRequest): void {
    const lazy = this.#options.autoload;
    const read = (file: string): unknown => this.#read(monitor, file);
    const names = new AutoloadNames({ target: request.target, namesOf: (file) => request.namesOf(file), read });
    const monitor: Monitor = this.#monitor(request, lazy, names);
    this.#options.record(`names of autoload(${request.globs.join(", ")})`, () => names.removeAll(), monitor.version);
    names.take(monitor.files);
    if (lazy) this.#tell(monitor.version);
    else this.#loadAll(monitor);
  }

  recordDependency({ caller, ...dependency }: AskingFile & Asks["dependencies"][number]): void {
    const version = this.#asking(caller);
    const asks = version.asks ?? NOTHING_ASKED;
    version.asksFor({ ...asks, dependencies: [...asks.dependencies, dependency] });
  }

  recordSplitClass({ caller, ...split }: AskingFile & Asks["splits"][number]): void {
    const version = this.#asking(caller);
    const asks = version.asks ?? NOTHING_ASKED;
    version.asksFor({ ...asks, splits: [...asks.splits, split] });
  }

  /** Names of the classes of a file; undefined when they are to be found. */
  classNamesOf(file: string): readonly string[] | undefined {
    if (Object.hasOwn(this.#classNames, file)) return this.#classNames[file];
    const monitor = this.#monitors.findLast(({ request, files }) => request.classNames && files.includes(file));
    return this.#options.outside(() => monitor?.request.classNames?.(file));
  }

  /** Looks again when files have come or gone. */
  begin({ pruned = [], lookupsChanged, classNames }: MonitoredPlan): void {
    this.#classNames = classNames ?? this.#classNames;
    const before = this.#monitors.map((monitor) => ({ monitor, files: monitor.files }));
    if (lookupsChanged) for (const monitor of this.#monitors) this.#look(monitor);
    // What nothing leads to any more is pruned, too, and has not been deleted.
    this.#deleted = pruned.flatMap((file) =>
      before
        .filter(({ monitor, files }) => files.includes(file) && !monitor.files.includes(file))
        .map(({ monitor: { request } }) => ({ file, tell: async () => request.onDelete?.(file) })),
    );
  }

  /** Tells who has asked for it that files were deleted. */
  async commit(): Promise<void> {
    this.#dropReplaced();
    for (const { file, tell } of this.#deleted.splice(0)) {
      try {
        const done = withDeadline(this.#options.outside(tell), HOOK_MS);
        await (this.#options.waits?.during("onDelete", file, done) ?? done);
      } catch (error) {
        this.#options.failed(file, "onDelete", error);
      }
    }
  }

  rollback(): void {
    this.#dropReplaced();
    this.#deleted = [];
  }

  #dropReplaced(): void {
    this.#monitors = this.#monitors.filter(({ version }) => this.#runtime.isCurrent(version));
  }

  get #runtime(): MonitoredRuntime {
    return this.#options.runtime();
  }

  #monitor(request: MonitorRequest, lazy: boolean, autoload: AutoloadNames | undefined): Monitor {
    const version = this.#asking(request.caller);
    const monitor: Monitor = { request, version, lazy, files: [], loaded: new Set(), autoload };
    this.#monitors.push(monitor);
    monitor.files = this.#listed(monitor);
    return monitor;
  }

  /** Not the entry, which is loaded anyway, nor who asks: both may be waiting for this very call. */
  #listed({ request, version }: Monitor): string[] {
    const listed = this.#runtime.ignoringReads(() => request.list());
    return listed.filter((file) => ![this.#options.entry, request.caller, version.file].includes(file));
  }

  #look(monitor: Monitor): void {
    monitor.files = this.#listed(monitor);
    for (const file of monitor.loaded) if (!monitor.files.includes(file)) monitor.loaded.delete(file);
    if (!monitor.autoload) return;
    monitor.autoload.take(monitor.files);
    if (this.#runtime.isCurrent(monitor.version)) this.#tell(monitor.version);
  }

  #loadAll(monitor: Monitor): void {
    try {
      for (const file of monitor.files) {
        monitor.loaded.add(file);
        this.#runtime.loadSync(file);
      }
    } finally {
      this.#tell(monitor.version);
    }
  }

  /** The supervisor knows whom the file belongs to before anybody gets an answer that was made with it. */
  #read(monitor: Monitor, file: string): unknown {
    if (monitor.loaded.has(file)) return this.#runtime.require(file);
    monitor.loaded.add(file);
    this.#tell(monitor.version);
    try {
      return this.#runtime.require(file);
    } catch (error) {
      monitor.loaded.delete(file);
      this.#tell(monitor.version);
      throw error;
    }
  }

  #asking(caller: string | undefined): ModuleEdges {
    const { entry, owner } = this.#options;
    const version = owner() ?? this.#runtime.currentVersion(caller ?? entry) ?? this.#runtime.currentVersion(entry);
    if (!version) throw new Error("nothing is loaded that could ask for anything");
    return version;
  }

  #tell(version: ModuleEdges): void {
    if (version.purged) return;
    const own = this.#monitors.filter((monitor) => monitor.version === version);
    const monitors = own.map(({ request, lazy, loaded, autoload }) => ({
      globs: [...request.globs],
      lazy,
      files: [...loaded],
      names: autoload?.list() ?? [],
    }));
    version.asksFor({ ...(version.asks ?? NOTHING_ASKED), monitors });
  }
}
