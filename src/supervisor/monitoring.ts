/**
 * What is loaded and reloaded because somebody said so, and not because an import leads there: patterns of `require` and
 * `autoload`, recorded dependencies and split classes; of the options, of the host, and of the app's modules. Looks at the
 * disk only in `look`, when files have come or gone, or when somebody has said more.
 */

import { HOOK_MS } from "../common/deadlines.js";
import { matchingFiles, matchingSourceFiles, plainPath, watchedFolders } from "../common/globs.js";
import { givenNames, type RequireOptions } from "../common/patterns.js";
import type { Asks } from "../common/protocol/messages.js";
import { wait } from "../common/wait.js";
import type { FileRegistry } from "../files/registry.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import type { ModuleNode } from "../graph/module-node.js";
import { NOTHING_RECORDED, RecordedEdges } from "../graph/recorded.js";
import type { Autoload, MonitoredPattern } from "../reports/inspection.js";

export interface MonitoringOptions {
  readonly entry: string;
  /** Globs to load before the entry. */
  readonly require: readonly string[];
  readonly depend: Readonly<Record<string, readonly string[]>>;
  readonly registry: Pick<FileRegistry, "track" | "trackFolders">;
  /** A callback of the host threw. */
  failed(what: string, error: unknown): void;
}

/** A pattern of the options or of the host. */
interface Monitor extends RequireOptions {
  readonly globs: readonly string[];
  /** As of the last look, in the order in which they are loaded, each with the names of its classes, if they are given. */
  files: ReadonlyMap<string, readonly string[] | undefined>;
}

interface Dependency {
  readonly dependency: readonly string[];
  readonly files: readonly string[];
}

interface SplitClass {
  readonly main: string;
  readonly parts: readonly string[];
}

/** Module -> what its present version has asked for. */
export type AsksByModule = ReadonlyMap<string, Asks>;

export const NO_ASKS: AsksByModule = new Map();

export class Monitoring {
  readonly #options: MonitoringOptions;
  readonly #monitors: Monitor[] = [];
  readonly #dependencies: Dependency[] = [];
  readonly #splits: SplitClass[] = [];
  /** Deleted files that a monitor had, with that monitor, which has not been told yet. */
  #untold: { readonly monitor: Monitor; readonly file: string }[] = [];
  #roots: readonly string[] = [];
  #members: ReadonlyMap<string, readonly string[]> = new Map();
  #recorded: RecordedEdges = NOTHING_RECORDED;
  /** Globs of recorded edges, as one text -> the files they matched at the last look. */
  #matched: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  /** What the last look was made with. */
  #asks: AsksByModule = NO_ASKS;
  #telling = 0;
  /** Where files may be that patterns match. */
  #folders: readonly string[] = [];
  #saidMore = true;

  constructor(options: MonitoringOptions) {
    this.#options = options;
    if (options.require.length > 0) this.#monitors.push({ globs: options.require, files: new Map() });
    for (const [dependency, files] of Object.entries(options.depend)) {
      this.#dependencies.push({ dependency: [dependency], files });
    }
  }

  add(globs: readonly string[], options: RequireOptions): void {
    this.#monitors.push({ ...options, globs, files: new Map() });
    this.#saidMore = true;
  }

  recordDependency(dependency: Dependency): void {
    this.#dependencies.push(dependency);
    this.#saidMore = true;
  }

  recordSplitClass(split: SplitClass): void {
    this.#splits.push(split);
    this.#saidMore = true;
  }

  /** Whether a pattern may match a file that has come. */
  concerns(file: string): boolean {
    return this.#saidMore || this.#folders.some((folder) => file.startsWith(folder));
  }

  /** Files to load before anything else, then the entry. */
  get roots(): readonly string[] {
    if (this.#roots.length === 0) this.look();
    return this.#roots;
  }

  /** Module -> files that its calls load. */
  get members(): ReadonlyMap<string, readonly string[]> {
    return this.#members;
  }

  get recorded(): RecordedEdges {
    return this.#recorded;
  }

  /** Names of the classes of files, where the host has named them. */
  classNames(): Record<string, readonly string[]> {
    const files = this.#monitors.flatMap((monitor) => [...monitor.files]);
    return Object.fromEntries(files.flatMap(([file, names]) => (names ? [[file, names]] : [])));
  }

  /** Whether more has been asked for since the last look. */
  outdated(asks: AsksByModule = NO_ASKS): boolean {
    return this.#saidMore || asks !== this.#asks;
  }

  /** Finds out what the patterns match now. `deleted`: files that somebody may have depended on. */
  look(asks: AsksByModule = NO_ASKS, deleted: Iterable<string> = []): void {
    this.#asks = asks;
    this.#saidMore = false;
    const deletedFiles = new Set(deleted);
    for (const monitor of this.#monitors) this.#lookAt(monitor, deletedFiles);
    this.#members = new Map([...asks].map(([module, { monitors }]) => [module, membersOf(module, monitors)]));
    this.#lookAtRecords(asks, deletedFiles);
    const { entry } = this.#options;
    const parts = new Set(this.#splits.flatMap((split) => [...this.#filesOf(split.parts)]));
    const roots = new Set(this.#monitors.flatMap(({ files }) => [...files.keys()]));
    this.#roots = [...[...roots].filter((file) => file !== entry && !parts.has(file)), entry];
    this.#watch(asks);
  }

  /** Files that are to be loaded, as far as patterns say, and that are not, or not yet. */
  missing(graph: ModuleGraph): string[] {
    const wanted = new Set(this.#roots);
    for (const [module, files] of this.#members) {
      if (graph.get(module)?.evaluated) for (const file of files) wanted.add(file);
    }
    return [...wanted].filter((file) => !graph.get(file)?.evaluated);
  }

  /** Nodes of modules whose calls load other files now than the graph says. */
  *monitoringNodes(graph: ModuleGraph): Iterable<ModuleNode> {
    for (const [module, monitored] of this.#members) {
      const node = graph.get(module);
      const before = node?.monitored ?? [];
      if (node && (before.length !== monitored.length || monitored.some((file, index) => file !== before[index])))
        yield { ...node, monitored };
    }
  }

  /** A callback of the host is under way. */
  get isTelling(): boolean {
    return this.#telling > 0;
  }

  /** Tells of deleted files, once they are purged. */
  async tellDeleted(): Promise<void> {
    const untold = this.#untold;
    this.#untold = [];
    for (const { monitor, file } of untold) {
      if (monitor.files.has(file)) continue;
      this.#telling++;
      try {
        const told = await wait(Promise.resolve(monitor.onDelete?.(file)), { deadlineMs: HOOK_MS });
        if (told.type === "late") throw new Error(`not done after ${HOOK_MS} ms; it is left to itself`);
      } catch (error) {
        this.#options.failed(`onDelete of ${file}`, error);
      } finally {
        this.#telling--;
      }
    }
  }

  inspect(
    graph: ModuleGraph | undefined,
    asks: AsksByModule = NO_ASKS,
  ): { monitored: MonitoredPattern[]; autoloads: Autoload[] } {
    const own = this.#monitors.map(({ globs, files }) => ({
      by: undefined,
      patterns: globs,
      files: [...files.keys()],
    }));
    const asked = [...asks].flatMap(([by, { monitors }]) =>
      monitors.map(({ globs, lazy, files }) => ({
        by,
        patterns: globs,
        files: lazy ? files : matchingSourceFiles(globs).filter((file) => file !== by),
      })),
    );
    const autoloads = [...asks].flatMap(([by, { monitors }]) =>
      monitors.flatMap(({ names }) =>
        names.map(({ name, file }) => ({ name, file, by, loaded: graph?.get(file)?.evaluated ?? false })),
      ),
    );
    return { monitored: [...own, ...asked], autoloads };
  }

  #lookAt(monitor: Monitor, deleted: ReadonlySet<string>): void {
    const before = monitor.files;
    monitor.files = new Map(
      matchingSourceFiles(monitor.globs).map((file) => [
        file,
        before.has(file) ? before.get(file) : this.#namesOf(monitor, file),
      ]),
    );
    if (!monitor.onDelete) return;
    for (const file of before.keys()) if (deleted.has(file)) this.#untold.push({ monitor, file });
  }

  #namesOf({ classes }: Monitor, file: string): readonly string[] | undefined {
    if (typeof classes !== "function") return undefined;
    try {
      return givenNames("require", file, classes(file));
    } catch (error) {
      this.#options.failed(`naming the classes of ${file}`, error);
      return undefined;
    }
  }

  #lookAtRecords(asks: AsksByModule, deleted: ReadonlySet<string>): void {
    const dependencies = [...this.#dependencies, ...[...asks.values()].flatMap((ask) => ask.dependencies)];
    const splits = [...this.#splits, ...[...asks.values()].flatMap((ask) => ask.splits)];
    const before = this.#matched;
    const matched = new Map<string, ReadonlySet<string>>();
    const lists = [
      ...dependencies.flatMap(({ dependency, files }) => [dependency, files]),
      ...splits.map(({ parts }) => parts),
    ];
    for (const globs of lists) {
      const key = globs.join("\n");
      if (matched.has(key)) continue;
      const left = [...(before.get(key) ?? [])].filter((file) => deleted.has(file));
      const plain = globs.map(plainPath).filter((file) => file !== undefined);
      matched.set(key, new Set([...matchingFiles(globs), ...plain, ...left]));
    }
    this.#matched = matched;
    const edges = dependencies.map(({ dependency, files }) => ({
      dependencies: this.#filesOf(dependency),
      files: this.#filesOf(files),
    }));
    this.#recorded = new RecordedEdges(
      edges,
      splits.map(({ main, parts }) => ({ main, parts: this.#filesOf(parts) })),
    );
  }

  /** Files of a list of globs that belongs to a record. */
  #filesOf(globs: readonly string[]): ReadonlySet<string> {
    return this.#matched.get(globs.join("\n")) ?? new Set();
  }

  #watch(asks: AsksByModule): void {
    const { registry } = this.#options;
    this.#folders = [];
    const asked = [...asks.values()].flatMap(({ monitors }) => monitors);
    const globs = [...this.#monitors, ...asked].map((monitor) => monitor.globs);
    const recorded = [...this.#matched.keys()].map((key) => key.split("\n"));
    if (globs.length + recorded.length === 0) return;
    this.#folders = [...globs, ...recorded].flatMap((list) => watchedFolders(list));
    registry.trackFolders(this.#folders);
    const files = new Set([...this.#matched.values()].flatMap((matched) => [...matched]));
    for (const { lazy, names } of asked) if (lazy) for (const { file } of names) files.add(file);
    registry.track([...files].map((file) => ({ file, hash: undefined })));
  }
}

function membersOf(module: string, monitors: Asks["monitors"]): string[] {
  const members = new Set<string>();
  for (const { globs, files, lazy } of monitors)
    for (const file of lazy ? files : matchingSourceFiles(globs)) members.add(file);
  members.delete(module);
  return [...members];
}
