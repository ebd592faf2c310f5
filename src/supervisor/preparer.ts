/** Owns the compiler for the supervisor: lays next graphs, and has everything they depend on watched. */
import path from "node:path";
import type { TextPosition } from "../common/compile/code-frame.js";
import type { CompiledModule, PreparedModule, Resolution, ResolveKind } from "../common/compile/compiled-module.js";
import { Compiler } from "../common/compile/compiler.js";
import { type EncodedSourceMap, traceBack } from "../common/compile/source-map.js";
import { ResolveError, SourceError } from "../common/errors.js";
import { linksOn, linksTo, mayCrossLinks } from "../common/links.js";
import { isBelowPackages, shownPath } from "../common/paths.js";
import type { LoadedModule } from "../common/protocol/messages.js";
import { closureOf } from "../common/started/closure.js";
import { LateFolders } from "../files/late-folders.js";
import type { FileRegistry } from "../files/registry.js";
import { UsedFiles } from "../files/used-files.js";
import { checkLinks } from "../graph/links.js";
import { ModuleGraph } from "../graph/module-graph.js";
import { eagerlyReachable } from "../graph/reachable.js";
import type { ResolvedOptions } from "../options/options.js";
import { CompileProgress } from "../reports/compile-progress.js";
import { filesOfNode } from "../thread/env-files.js";
import { cacheFolder, installedPackageFiles } from "../thread/environment.js";
import { hasLoader, hasPreloads, importConditions } from "../thread/node-flags.js";
import { hasCells } from "./boot-order.js";
import type { LoadedApp } from "./loaded-app.js";
import type { Monitoring } from "./monitoring.js";
import { NamesInUse } from "./names-in-use.js";
import type { PendingChanges } from "./pending.js";
import { firstFailure, firstLinkProblem, type Preparation, prepare } from "./prepare.js";
import { relinkCandidates } from "./relink.js";

export class Preparer {
  readonly #compiler: Compiler;
  readonly #registry: FileRegistry;
  /** For specifiers that clients and failed edits come up with. */
  readonly #lateFolders: LateFolders;
  readonly #usedFiles: UsedFiles;
  /** Paths of which the links are watched. */
  readonly #linked = new Set<string>();
  /** Symbolic link to the modules that cross it by computed specifiers; as many as the app has. */
  readonly #lateLinks = new Map<string, Set<string>>();
  readonly #entry: string;
  readonly #configFiles: readonly string[];
  readonly #tell: (message: string) => void;
  /** Files that a start evaluates, in order. */
  readonly #roots: () => readonly string[];
  readonly #names: NamesInUse;
  /**
   * The app may have taught Node's loader more than we know, by hooks: whether a file compiles, and a specifier leads
   * anywhere, only a start can say.
   */
  startDecides: boolean;
  /** What did not compile or resolve in the last look: any file may mend it. */
  #isBroken = false;

  constructor(
    {
      entry,
      root,
      envFiles,
      configFiles,
      scope,
      inspect,
    }: Pick<ResolvedOptions, "entry" | "root" | "envFiles" | "configFiles" | "scope" | "inspect">,
    registry: FileRegistry,
    roots: () => readonly string[],
    isAppsProcess: boolean,
    tell: (message: string) => void,
  ) {
    this.#tell = tell;
    this.startDecides = isAppsProcess && (hasPreloads() || hasLoader());
    this.#compiler = new Compiler({
      root,
      conditions: importConditions(),
      cacheFolder: cacheFolder(root),
      cells: hasCells({ scope, inspect }),
    });
    this.#registry = registry;
    this.#lateFolders = new LateFolders(registry);
    this.#usedFiles = new UsedFiles(registry);
    this.#entry = entry;
    this.#configFiles = [...installedPackageFiles(root), ...envFiles, ...filesOfNode(), ...configFiles];
    this.#roots = roots;
    this.#names = new NamesInUse((file) => registry.reconsider(file));
  }

  /** Whether a file that has come to a folder where specifiers may lead can change where one does. */
  concerns(file: string): boolean {
    return this.#isBroken || this.#names.concerns(file);
  }

  /** Why a file that is not loaded cannot be; undefined when nothing is known against it. */
  syntaxErrorOf(file: string): SourceError | undefined {
    if (!/\.(?:[cm]?[jt]s|[jt]sx)$/.test(file)) return undefined;
    try {
      this.#compiler.compile(file);
      return undefined;
    } catch (error) {
      if (error instanceof SourceError) return error;
      // Gone, or not to be read.
      if (error instanceof Error && "code" in error) return undefined;
      throw error;
    }
  }

  /** The place in the source of a place in compiled code; of the newest code, when it was compiled from an older text. */
  locate(compiled: CompiledModule, position: TextPosition): TextPosition {
    return compiled.mapped ? traceBack(position, this.#compiler.sourceMap(compiled)) : position;
  }

  /** Made again at each call, at about the price of compiling. */
  sourceMap(compiled: CompiledModule): EncodedSourceMap {
    return this.#compiler.sourceMap(compiled);
  }

  /** Everything from the roots on, as a fresh start would find it. */
  all(): Preparation {
    this.#compiler.forget();
    const nothing = { graph: new ModuleGraph(), modules: new Map(), failures: new Map(), relink: [], deleted: [] };
    const progress = new CompileProgress({ entry: shownPath(this.#entry, process.cwd()), tell: this.#tell });
    const visited = progress.compiled;
    return this.#track(prepare({ compiler: this.#compiler, ...nothing, compile: this.#roots(), visited }));
  }

  /** What differs from the app that runs, because of the pending changes. */
  changes(
    { graph, modules, failures }: LoadedApp,
    { changed, added, deleted, relinked, changesLookups }: PendingChanges,
    monitoring: Pick<Monitoring, "missing" | "monitoringNodes">,
  ): Preparation {
    graph.warmUp(this.#roots());
    const compile = new Set([...changed].filter((file) => graph.has(file)));
    for (const file of monitoring.missing(graph)) if (!graph.has(file)) compile.add(file);
    const relink = new Set<string>();
    if (changesLookups) {
      this.#compiler.forget();
      this.#linked.clear();
      const candidates =
        relinked.size > 0 ? modules.keys() : relinkCandidates(modules.values(), [...added, ...deleted]);
      for (const file of candidates) relink.add(file);
      for (const file of failures.keys()) compile.add(file);
    }
    for (const file of deleted) compile.delete(file);
    for (const file of deleted) this.#compiler.drop(file);
    const removed = new Set(deleted);
    // Nobody imports the entry, and yet there is no app without it: that it cannot be read is the failure to tell.
    if (removed.delete(this.#entry)) compile.add(this.#entry);
    const known = { graph, modules, failures };
    const prepared = prepare({ compiler: this.#compiler, ...known, compile, relink, deleted: removed });
    const next = prepared.graph.with(monitoring.monitoringNodes(prepared.graph));
    return this.#track({ ...prepared, graph: next });
  }

  /** Why a fresh start with this preparation could not even begin; undefined when it could. */
  failureOf(preparation: Preparation): SourceError | undefined {
    const problems = checkLinks(preparation.graph, preparation.fresh);
    // Nearly always so; the walk over the whole graph costs 0.3 ms at 2000 modules.
    if (preparation.failures.size + problems.length === 0) return undefined;
    const eager = eagerlyReachable(preparation.graph, this.#roots());
    return firstFailure(preparation, eager) ?? firstLinkProblem(preparation, problems, eager);
  }

  /**
   * Why the workers of a cluster, which serve the app, could not evaluate what has changed; undefined when they could. What
   * other processes and threads evaluate may fail: their starters hear of it.
   */
  failureOfStarted(app: LoadedApp, { changed, added }: PendingChanges): SourceError | undefined {
    if (!app.isPrimary) return undefined;
    for (const file of [...changed, ...added]) {
      if (app.graph.has(file) || !app.isStarted(file)) continue;
      try {
        this.#compiler.prepare(file);
      } catch (error) {
        if (error instanceof SourceError) return error;
        // It is gone again: the next look finds that.
        if (!(error instanceof Error && "code" in error)) throw error;
      }
    }
    return undefined;
  }

  /** Watches the file in which an evaluation has failed, and which came up in that one only: a save of it mends. */
  trackFailure(file: string): void {
    if (!path.isAbsolute(file) || isBelowPackages(file)) return;
    try {
      this.trackModules([this.#compiler.prepare(file)]);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#registry.track([{ file, hash: undefined }]);
      this.#trackUnresolved(error);
    }
  }

  /** Adding the missing file mends it. */
  #trackUnresolved(error: Error): void {
    if (error instanceof ResolveError)
      this.#lateFolders.add(this.#compiler.candidates(error.specifier, error.importer, "import"));
  }

  /** Watches files that have come up, and the folders where an added file would change what their specifiers mean. */
  trackModules(modules: readonly PreparedModule[]): void {
    this.#registry.track(modules.map(({ compiled: { file, hash } }) => ({ file, hash })));
    const folders = new Set<string>();
    for (const { compiled, imports, requires } of modules) {
      const add = (specifier: string, kind: "import" | "require", found: Resolution | undefined) => {
        this.#names.add(specifier);
        const candidates = this.#compiler.candidates(specifier, compiled.file, kind);
        for (const folder of candidates) folders.add(folder);
        if (found?.type === "file") this.#trackLinks(specifier, compiled.file, candidates, found.file);
      };
      for (const [index, { specifier }] of compiled.imports.entries()) add(specifier, "import", imports[index]);
      for (const specifier of compiled.requires) add(specifier, "require", requires[specifier]);
    }
    this.#registry.trackFolders(folders);
  }

  /** Watches links that are crossed on the way from a specifier to an own file. */
  #trackLinks(specifier: string, importer: string, candidates: readonly string[], found: string): void {
    const isPath = candidates.length > 0;
    for (const target of isPath ? candidates : packagePlaces(specifier, importer)) {
      if (!mayCrossLinks(target, found) || this.#linked.has(target)) continue;
      this.#linked.add(target);
      this.#registry.trackLinks((isPath ? linksTo : linksOn)(target, path.dirname(importer)));
    }
  }

  /** Modules that have looked something up by computed specifiers that cross one of these links. */
  lookedUpAcross(relinked: Iterable<string>): string[] {
    return [...relinked].flatMap((link) => [...(this.#lateLinks.get(link) ?? [])]);
  }

  /** Watches the folders where an added file would change where a computed specifier leads. */
  trackLookup(specifier: string, importer: string, kind: ResolveKind): void {
    this.#names.addLate(specifier);
    const candidates = this.#compiler.candidates(specifier, importer, kind);
    this.#lateFolders.add(candidates);
    for (const link of candidates.flatMap((target) => linksTo(target, path.dirname(importer)))) {
      this.#registry.trackLinks([link]);
      this.#lateLinks.set(link, (this.#lateLinks.get(link) ?? new Set()).add(importer));
    }
  }

  /** Watches what modules read and listed while they were evaluated. */
  trackUses(app: LoadedApp, loaded: readonly LoadedModule[]): void {
    for (const { file, reads, looks = [], links = [], lists, starts = [] } of loaded) {
      for (const started of starts) this.#trackStarted(app, file, started);
      const used = [...reads, ...looks].filter((each) => !app.writes(each.file));
      this.#usedFiles.track(used.map((each) => ({ file: each.file, hash: each.hash })));
      this.#registry.trackListed(lists);
      this.#registry.trackLinks(links);
    }
  }

  /** Watches what a thread or process evaluates that a module has started. */
  #trackStarted(app: LoadedApp, module: string, { file, since }: { file: string; since: number }): void {
    const closure = closureOf(this.#compiler, file, since);
    app.started(
      module,
      closure.map((found) => found.file),
    );
    this.#usedFiles.track(closure.filter((found) => !app.writes(found.file)));
  }

  /** The same, of an app that serves from now on: what only other versions have read is not watched any more. */
  trackUsesOnly(app: LoadedApp, loaded: readonly LoadedModule[]): void {
    this.trackUses(app, loaded);
    this.#usedFiles.sweep(() => app.filesInUse);
  }

  /** Readies the graph for its first reload, and keeps what was compiled for the next start. */
  afterStart({ graph, roots }: LoadedApp): void {
    graph.warmUp(roots);
    void this.#compiler.saveCache();
  }

  async close(): Promise<void> {
    await this.#compiler.saveCache();
  }

  #track(preparation: Preparation): Preparation {
    this.#isBroken = preparation.failures.size > 0;
    this.trackModules([...preparation.fresh].flatMap((file) => preparation.modules.get(file) ?? []));
    this.#registry.track([...preparation.failures.keys()].map((file) => ({ file, hash: undefined })));
    for (const error of preparation.failures.values()) this.#trackUnresolved(error);
    this.#registry.trackConfig([...this.#configFiles, ...this.#compiler.configFiles()]);
    return preparation;
  }
}

/** Where the package that a specifier names may be installed, or linked to one of the app's own folders. */
function packagePlaces(specifier: string, importer: string): string[] {
  const [name] = /^(?:@[^/]+\/)?[^/]+/.exec(specifier) ?? [];
  if (name === undefined || specifier.startsWith("#")) return [];
  const places: string[] = [];
  for (let folder = path.dirname(importer); ; folder = path.dirname(folder)) {
    places.push(path.join(folder, "node_modules", name));
    if (path.dirname(folder) === folder) return places;
  }
}
