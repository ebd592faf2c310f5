/** What one app thread holds, as far as main knows: its graph, and the code it was given. */
import type { CompiledModule, PreparedModule } from "../common/compile/compiled-module.js";
import type { SourceError } from "../common/errors.js";
import type { Asks, LoadedModule } from "../common/protocol/messages.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import type { ModuleNode } from "../graph/module-node.js";
import { reachable } from "../graph/reachable.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { FileUses } from "./file-uses.js";
import { LateLoads } from "./late-loads.js";
import { type AsksByModule, NO_ASKS } from "./monitoring.js";
import type { PendingChanges } from "./pending.js";
import { moduleNode, type Preparation } from "./prepare.js";

export class LoadedApp {
  readonly epoch: AppEpoch;
  readonly #roots: () => readonly string[];
  #graph: ModuleGraph;
  #modules: ReadonlyMap<string, PreparedModule>;
  #failures: ReadonlyMap<string, SourceError>;
  readonly #fileUses = new FileUses();
  readonly #lateLoads = new LateLoads();
  /** File to the classes that its evaluation made; no entry when it made none. Goes when the file is purged or forgotten. */
  readonly #classes = new Map<string, LoadedModule["classes"]>();
  /** Another map whenever a module asks for something else. */
  #asks: AsksByModule = NO_ASKS;
  #isPrimary = false;
  /** A module has thrown, and the app goes on without it: the next change takes a fresh worker. */
  isPartial = false;
  /** Modules that have lost something by a reload that failed: the next one evaluates them again. */
  readonly #damaged = new Set<string>();
  /** Of each file whose text a plan has replaced, the one before: requests may still run it. */
  readonly #before = new Map<string, CompiledModule>();
  /** Files that the thread compiled by itself since the last plan was applied: that plan's preparation may not have them. */
  #found: PreparedModule[] = [];

  constructor(epoch: AppEpoch, roots: () => readonly string[], preparation: Preparation) {
    this.epoch = epoch;
    this.#roots = roots;
    this.#graph = preparation.graph;
    this.#modules = preparation.modules;
    this.#failures = preparation.failures;
  }

  /** Files that a start evaluates: those of `--require`, then the entry. */
  get roots(): readonly string[] {
    return this.#roots();
  }

  /** What modules have asked for by `unreloader/app`. */
  get asks(): AsksByModule {
    return this.#asks;
  }

  get graph(): ModuleGraph {
    return this.#graph;
  }
  get modules(): ReadonlyMap<string, PreparedModule> {
    return this.#modules;
  }
  /** What a request runs that was begun before the file's last change. */
  before(file: string): CompiledModule | undefined {
    return this.#before.get(file);
  }
  /** Broken files that only a late `require()` or `import()` leads to: its caller gets the error. */
  get failures(): ReadonlyMap<string, SourceError> {
    return this.#failures;
  }

  /** File to the classes that its evaluation made. */
  get classes(): ReadonlyMap<string, LoadedModule["classes"]> {
    return this.#classes;
  }

  /** Number of files that have been evaluated. */
  get size(): number {
    return this.#graph.evaluatedCount;
  }

  /** Whether the thread has this very text of the file. */
  hasText(compiled: CompiledModule | undefined): boolean {
    return compiled !== undefined && this.#modules.get(compiled.file)?.compiled.hash === compiled.hash;
  }

  /** Files of which a preparation has another text than the thread. */
  differingFrom({ modules }: Preparation): string[] {
    return [...this.#graph.files()].filter((file) => {
      const compiled = modules.get(file)?.compiled;
      return compiled !== undefined && !this.hasText(compiled);
    });
  }

  /** Takes in what the thread evaluated: its edges replace those of the version before. */
  evaluated(loaded: Iterable<LoadedModule>): void {
    const changes: ModuleNode[] = [];
    for (const module of loaded) {
      const { file, observed, globals, dynamic, written, sets, registers, isPrimary, hot, asks, classes } = module;
      const node = this.#graph.get(file);
      if (!node) continue;
      if (classes.length > 0) this.#classes.set(file, classes);
      else this.#classes.delete(file);
      this.#takeAsks(file, asks);
      this.#lateLoads.evaluated(file, dynamic);
      this.#fileUses.evaluated(file, module);
      if (isPrimary) this.#isPrimary = true;
      changes.push({
        ...node,
        observed: new Set(observed),
        globals: globals && new Set(globals),
        written: written.length > 0 ? new Set(written) : undefined,
        sets: sets && new Set(sets),
        registers: registers && new Set(registers),
        dynamic: dynamic.length > 0 ? new Set([...node.dynamic, ...dynamic]) : node.dynamic,
        monitored: monitoredBy(asks, node.monitored),
        evaluated: true,
        hot,
      });
    }
    this.#graph = this.#graph.with(changes);
  }

  #takeAsks(file: string, asks: Asks | undefined): void {
    if (JSON.stringify(asks) === JSON.stringify(this.#asks.get(file))) return;
    const next = new Map(this.#asks);
    if (asks) next.set(file, asks);
    else next.delete(file);
    this.#asks = next;
  }

  /** What a module has started (a thread, a process) evaluates these files. To be called after `evaluated`. */
  started(module: string, files: readonly string[]): void {
    this.#fileUses.started(module, files);
  }

  /** Whether a thread or process that a module has started evaluates the file. */
  isStarted(file: string): boolean {
    return this.#fileUses.isStarted(file);
  }

  /** Whether the thread has started workers of node:cluster. */
  get isPrimary(): boolean {
    return this.#isPrimary;
  }

  /** The app writes this file itself. */
  written(file: string): void {
    this.#fileUses.written(file);
  }

  /** Files that it is made from, and that its modules and packages have read, or failed to. */
  get filesInUse(): Set<string> {
    return new Set([...this.#fileUses.reads, ...this.#graph.files(), ...this.#failures.keys()]);
  }

  /** Files that a module has read while it was evaluated, but for those that the app writes itself. */
  readsOf(module: string): string[] {
    return [...this.#fileUses.readsOf(module)].filter((file) => !this.#fileUses.writes(file));
  }

  /** Whether the app writes this file itself: then it is state, and its changes are nobody's business. */
  writes(file: string): boolean {
    return this.#fileUses.writes(file);
  }

  /** Modules that read one of the pending files, or listed a folder in which one came or went; each with that file. */
  readersOf(pending: PendingChanges): Map<string, string> {
    const readers = this.#fileUses.readersOf(pending);
    for (const module of readers.keys()) if (!this.#graph.get(module)?.evaluated) readers.delete(module);
    return readers;
  }

  /** Whether a module or a package has listed this folder. */
  lists(folder: string): boolean {
    return this.#fileUses.lists(folder);
  }

  /** Whether one of the pending files was read, or a folder of one listed, by a package while it was loaded. */
  concernsPackages(pending: PendingChanges): boolean {
    return this.#fileUses.concernPackages(pending);
  }

  /** A reload failed, and these modules are not what they were. */
  damage(files: Iterable<string>): void {
    for (const file of files) this.#damaged.add(file);
  }

  /** They were evaluated again, as they were. */
  mended(loaded: readonly LoadedModule[]): void {
    this.#damaged.clear();
    this.evaluated(loaded);
  }

  get damaged(): string[] {
    return [...this.#damaged].filter((file) => this.#graph.get(file)?.evaluated);
  }

  /** Files that the thread compiled by itself. */
  discovered(modules: readonly PreparedModule[]): void {
    this.#found.push(...modules);
    // Main could not compile or resolve what the app's own hooks can.
    const found = new Set(modules.map(({ compiled }) => compiled.file).filter((file) => this.#failures.has(file)));
    if (found.size > 0) this.#failures = new Map([...this.#failures].filter(([file]) => !found.has(file)));
    this.#modules = new Map([...this.#modules, ...modules.map((module) => [module.compiled.file, module] as const)]);
    this.#graph = this.#graph.with(modules.map((module) => moduleNode(module, this.#graph.get(module.compiled.file))));
  }

  /** A plan was applied. Returns whether there may be files that nothing leads to any more. */
  applied(preparation: Preparation, purged: Iterable<string>, loaded: readonly LoadedModule[]): boolean {
    this.#damaged.clear();
    const unloaded: ModuleNode[] = [];
    const again = new Set(loaded.map(({ file }) => file));
    for (const file of purged) {
      const before = this.#modules.get(file)?.compiled;
      if (before && preparation.modules.get(file)?.compiled.hash !== before.hash) this.#before.set(file, before);
      const node = preparation.graph.get(file);
      if (!again.has(file)) {
        this.#fileUses.forget(file);
        this.#lateLoads.forget(file);
        this.#classes.delete(file);
        this.#takeAsks(file, undefined);
      }
      if (node && !again.has(file))
        unloaded.push({
          ...node,
          observed: new Set(),
          globals: undefined,
          sets: undefined,
          registers: undefined,
          monitored: undefined,
          evaluated: false,
          hot: undefined,
        });
    }
    this.#graph = preparation.graph.with(unloaded);
    this.#modules = preparation.modules;
    this.#failures = preparation.failures;
    const found = this.#found.filter(({ compiled }) => !preparation.modules.has(compiled.file));
    this.discovered(found);
    this.#found = [];
    this.evaluated(loaded);
    const asksLess = [...again].some((file) => {
      const now = new Set(this.#graph.get(file)?.monitored);
      return preparation.graph.get(file)?.monitored?.some((target) => !now.has(target));
    });
    return unloaded.length > 0 || asksLess;
  }

  /** Files that the code which runs leads to, as far as is known; not those that only an older version of a module has loaded. */
  get ledTo(): Set<string> {
    return reachable(this.#graph, this.roots, ({ file, dynamic }) => {
      const compiled = this.#modules.get(file)?.compiled;
      return [...dynamic].filter((target) => this.#lateLoads.leads(file, compiled, target));
    });
  }

  /** Files that nothing leads to now, with the code that the thread was given. */
  unreachable(): Map<string, PreparedModule | undefined> {
    const reached = reachable(this.#graph, this.roots);
    const files = [...this.#graph.files()].filter((file) => !reached.has(file));
    return new Map(files.map((file) => [file, this.#modules.get(file)]));
  }

  /**
   * The thread has forgotten files that nothing led to. Returns them, without those that it has found again meanwhile: an
   * entry that goes on after its evaluation may ask for one at any moment.
   */
  forget(unreachable: ReadonlyMap<string, PreparedModule | undefined>): string[] {
    const forgotten = [...unreachable]
      .filter(([file, module]) => this.#modules.get(file) === module)
      .map(([file]) => file);
    this.#graph = this.#graph.with([], forgotten);
    const modules = new Map(this.#modules);
    for (const file of forgotten) {
      modules.delete(file);
      this.#before.delete(file);
      this.#lateLoads.forget(file);
      this.#classes.delete(file);
    }
    this.#modules = modules;
    return forgotten;
  }
}

/** The same list as before when it holds the same, so that nodes can be compared. */
function monitoredBy(asks: Asks | undefined, before: readonly string[] | undefined): readonly string[] | undefined {
  if (!asks || asks.monitors.length === 0) return undefined;
  const files = [...new Set(asks.monitors.flatMap((monitor) => monitor.files))];
  return before?.length === files.length && files.every((file, index) => file === before[index]) ? before : files;
}
