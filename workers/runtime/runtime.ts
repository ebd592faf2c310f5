/**
 * The module system of the app thread: evaluates own files, ES modules and CommonJS in one registry, tells who used whom
 * while being evaluated, and replaces modules in place.
 */
import type Module from "node:module";
import type { ModuleFormat, PreparedModule, ResolveKind } from "../../src/common/compile/compiled-module.js";
import type { PackageStatement } from "../../src/common/compile/package-statements.js";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import type { NodePreload } from "../../src/common/protocol/orders.js";
import type { SourceLocation } from "../../src/common/protocol/serialized-error.js";
import type { ClassTable } from "../classes/class-table.js";
import type { Holders } from "../written/holders.js";
import { UNINITIALISED } from "../written/slots.js";
import { assemble, type RuntimeParts } from "./assemble.js";
import type { FileUse } from "./file-reads.js";
import type { RuntimeHost, RuntimeOptions } from "./host.js";
import { keptHolders, keptMemos } from "./kept-state.js";
import { installMainModule } from "./main-module.js";
import type { ModuleEdges } from "./module-edges.js";
import type { EsmModule, ModuleVersion } from "./module-record.js";
import { installNamespaceType } from "./namespace.js";
import { runPreloads } from "./node-preloads.js";
import { OwnForPackages } from "./own-for-packages.js";
import type { PackageExports } from "./package-exports.js";
import { interceptPackageRequests } from "./package-requests.js";
import type { AskedPackage } from "./package-watch.js";
import { type AppliedPlan, PlanRun, type PlanSteps, type RuntimePlan } from "./plan-run.js";
import type { Swapping } from "./swapping.js";
import { hideCells } from "./swaps.js";

/** Requests are dearer meanwhile: the same as after a purge. */
const SETTLED_READS_MS = 2000;

export class Runtime {
  readonly #parts: RuntimeParts;
  readonly #run: PlanRun;
  #uninstall: (() => void) | undefined;

  constructor(host: RuntimeHost, options: RuntimeOptions) {
    this.#parts = assemble(host, options);
    this.#run = new PlanRun(this.#parts);
  }

  /** Which classes the versions of own files have made. */
  get classes(): ClassTable {
    return this.#parts.classes;
  }

  /** What packages export that have been loaded. */
  get packages(): PackageExports {
    return this.#parts.packages;
  }

  /** Lets the whole thread have it: mapped stacks, and packages that load own files. */
  install(): void {
    if (this.#uninstall) return;
    const { cells, entry, reads, lookups, traces, sourceMaps, changes, host, loading, registry } = this.#parts;
    const forPackages = new OwnForPackages(this.#parts);
    const undoLookups = lookups.install();
    // It has imports of Node's modules lead to what is there now.
    reads.install();
    const undoTraces = traces.install();
    const undoMaps = sourceMaps.install();
    const undoRequests = interceptPackageRequests({
      resolve: (specifier, importer, kind) => host.resolve(specifier, importer, kind),
      hooked: (request, importer) => (changes.hooksRequire ? loading.resolve(request, importer, "require") : undefined),
      answering: (request, url, run) => changes.answering(request, url, run),
      resolvedFilename: (request, parent) => changes.resolvedFilename(request, parent),
      requireOwn: (...asked) => loading.requireFrom(...asked),
      bridge: (target) => forPackages.bridge(loading.recordOf(target)),
      importOwn: (target) => forPackages.import(loading.recordOf(target)),
      dynamicImports: (text) => host.dynamicImports?.(text) ?? [],
      sought: (request, importer) => reads.soughtPackage(request, importer),
      outside: (run, evaluates) => loading.loadPackage(run, evaluates),
    });
    const undoChanges = changes.install();
    const undoType = installNamespaceType();
    const undoTexts = cells ? hideCells() : undefined;
    const undoMainModule = installMainModule(() => registry.find(entry)?.module);
    this.#uninstall = () => {
      undoMainModule();
      undoTexts?.();
      undoType();
      undoChanges();
      undoRequests();
      undoMaps();
      undoTraces();
      undoLookups();
      reads.uninstall();
    };
  }

  /** Takes back what `install` did; what was evaluated stays. */
  uninstall(): void {
    this.#uninstall?.();
    this.#uninstall = undefined;
    const { registry, loading } = this.#parts;
    for (const record of registry.all()) loading.leaveCache(record);
  }

  /** As `uninstall`, and forgets own files in Node's own cache. */
  close(): void {
    this.uninstall();
    const { registry, loading } = this.#parts;
    for (const record of registry.all()) loading.unload(record);
  }

  // ---- what is loaded

  /** Code that was compiled ahead: used from the next evaluation of its file on. */
  add(modules: Iterable<PreparedModule>): void {
    this.#parts.loading.add(modules);
  }

  /** The file's namespace; evaluates it and what it imports, if need be. */
  import(file: string): Promise<object> {
    const { loading, registry } = this.#parts;
    return loading.import(registry.record(file));
  }

  /** `module.exports` or the namespace. Throws ERR_REQUIRE_ASYNC_MODULE when there is top-level await in the graph. */
  require(file: string, requiredBy?: Module): unknown {
    return this.#parts.loading.requireFrom(file, requiredBy);
  }

  /** Evaluates the file for somebody who takes nothing from it; throws ERR_REQUIRE_ASYNC_MODULE as `require`. */
  loadSync(file: string): void {
    const { loading, registry } = this.#parts;
    loading.evaluateSync(registry.record(file));
  }

  /** Loads a file of a package before any own module asks for it, as if one did. */
  loadAhead(asked: Omit<AskedPackage, "isStatic">): void {
    this.#parts.natives.loadAhead(asked);
  }

  /** Lets there be a `require.main` before the entry, which is CommonJS, is evaluated. */
  createMainModule(): void {
    const { entry, commonJs, registry } = this.#parts;
    commonJs.moduleOf(registry.record(entry), undefined);
  }

  // ---- a start, and plans

  /**
   * Evaluates files for the first time, in this order, behind what Node was to load before everything else. What was evaluated
   * is then taken with `takeLoaded`. `threw`: with what a CommonJS file has thrown, before anything else of the app runs.
   */
  load(
    files: Iterable<string>,
    preloads: readonly NodePreload[] = [],
    threw?: (error: unknown) => void,
  ): Promise<void> {
    const { reads } = this.#parts;
    const first = () => reads.beforeApp(() => runPreloads(preloads, this.#parts));
    const isImported = preloads.some(({ kind }) => kind === "import");
    return this.#run.start(files, { isImported, threw, first: preloads.length > 0 ? first : undefined });
  }

  /** Replaces modules. If anything throws, every module is as it was before, and the error is thrown again. */
  applyPlan<Plan extends RuntimePlan>(plan: Plan, steps: PlanSteps<Plan> = {}): Promise<AppliedPlan> {
    return this.#run.apply(plan, steps);
  }

  /**
   * Nothing that evaluation began is going on any more, as far as anybody can tell: reads cost nothing from here on.
   * The window opens again with the next `load` or `applyPlan`.
   */
  settle(): void {
    const { written, observer, swapping } = this.#parts;
    written.settle();
    // What goes on all the same (a connection that is being made) may still read files.
    const endFollowing = observer.followContinuations();
    setTimeout(endFollowing, SETTLED_READS_MS).unref();
    observer.closeWindow();
    swapping.settle();
  }

  /** Swaps bodies of functions; a participant of plans. */
  get swapping(): Swapping {
    return this.#parts.swapping;
  }

  // ---- what main is told of edges

  /** What was evaluated, or found to have more edges, and has not been told yet. */
  takeLoaded(): LoadedModule[] {
    return this.#parts.report.take();
  }

  /** Tells the host now which edges have come up lately, if any. */
  deliverEdges(): void {
    this.#parts.report.deliver();
  }

  /**
   * What comes up from now on is told when the returned function is called (once): the host takes a plan's outcome for what
   * holds at that moment, and would lose what it had heard before.
   */
  holdEdges(): () => void {
    const { report } = this.#parts;
    report.hold();
    return () => report.release();
  }

  // ---- files

  /** True when the file is evaluated, or being evaluated. */
  has(file: string): boolean {
    return this.#parts.registry.version(file) !== undefined;
  }

  /** The version of a file that is loaded, or being loaded: what `classes` knows it by. */
  currentVersion(file: string): ModuleEdges | undefined {
    return this.#parts.registry.version(file)?.edges;
  }

  /** Whether this is the version of its file that imports lead to. */
  isCurrent(version: ModuleEdges): boolean {
    return this.currentVersion(version.file) === version;
  }

  /** What importers of the file read, whichever version is current. */
  namespaceOf(file: string): object {
    return this.#parts.registry.record(file).namespace.object;
  }

  /** What an evaluated file exports, as plain properties; with a getter where only code of the app can tell. */
  exportsOf(file: string): Readonly<Record<string, unknown>> {
    const { registry, bindings } = this.#parts;
    const { namespace } = registry.record(file);
    const exports: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const name of namespace.names()) {
      const get = () => Reflect.get(namespace.object, name) as unknown;
      const value = bindings.look(get);
      Object.defineProperty(exports, name, { enumerable: true, ...(value === UNINITIALISED ? { get } : { value }) });
    }
    return exports;
  }

  /**
   * The top-level bindings that the file's version does not export, each with a getter, which throws a ReferenceError
   * while the binding is not initialised. Empty for a file that is not evaluated.
   */
  privateBindings(file: string): Readonly<Record<string, () => unknown>> {
    return this.#parts.registry.version(file)?.privateBindings?.() ?? {};
  }

  /** The own file to which a specifier leads in a module; undefined for what is not own. Throws when it leads nowhere. */
  targetOf(specifier: string, { prepared, record }: ModuleVersion, kind: ResolveKind): string | undefined {
    const index = prepared.compiled.imports.findIndex((imported) => imported.specifier === specifier);
    const named = prepared.imports[index];
    const required = Object.hasOwn(prepared.requires, specifier) ? prepared.requires[specifier] : undefined;
    const known = kind === "require" ? (required ?? named) : (named ?? required);
    const target = known ?? this.#parts.loading.resolve(specifier, record.file, kind);
    return target.type === "file" ? target.file : undefined;
  }

  /** The text of an own file, as the version that is current or being evaluated was made from. */
  sourceOf(file: string): string | undefined {
    return this.#parts.registry.preparedOf(file)?.compiled.source;
  }

  /** Whether the text of a module has the name. */
  mentions(name: string): boolean {
    for (const { version, prepared } of this.#parts.registry.all()) {
      if ((version?.prepared ?? prepared)?.compiled.source.includes(name)) return true;
    }
    return false;
  }

  /** Whether a text is in one of a module that is loaded now. */
  hasBodyWith(text: string): boolean {
    for (const { version } of this.#parts.registry.all())
      if (version?.prepared.compiled.body.includes(text)) return true;
    return false;
  }

  /** Statements of a file that do something to packages. */
  packageStatementsOf(file: string): readonly PackageStatement[] {
    return this.#parts.registry.version(file)?.prepared.compiled.effects.packageStatements ?? [];
  }

  formatOf(file: string): ModuleFormat | undefined {
    return this.#parts.registry.preparedOf(file)?.compiled.format;
  }

  /** Whether the text of an own file asks for a package, or for a file in it. */
  imports(file: string, name: string): boolean {
    const compiled = this.#parts.registry.version(file)?.prepared.compiled;
    if (!compiled) return false;
    const { imports, requires, dynamicImports } = compiled;
    const specifiers = [...imports.map(({ specifier }) => specifier), ...requires, ...dynamicImports];
    return specifiers.some((specifier) => specifier === name || specifier.startsWith(`${name}/`));
  }

  /** The text of an own file as it is evaluated. */
  bodyOf(file: string): string | undefined {
    return this.#parts.registry.version(file)?.prepared.compiled.body;
  }

  /** Current versions of own files. */
  versions(): ModuleEdges[] {
    return [...this.#parts.registry.versions()];
  }

  /** Of what is in a file now. */
  hashOf(file: string): string | undefined {
    return this.#parts.reads.hashOf(file);
  }

  /** `__ur` of the version of an own file. */
  scopeOf(file: string): object | undefined {
    return this.#parts.registry.version(file)?.scope;
  }

  /** What the bindings of an own file hold. */
  valuesOf(file: string): unknown[] {
    return (this.#parts.bindings.of(file) ?? []).filter((_, index) => index % 2 === 1);
  }

  /** Whether an ES module exports what it imports. */
  passesOn(file: string): boolean {
    const compiled = this.#parts.registry.version(file)?.prepared.compiled;
    return compiled !== undefined && compiled.stars.length + (compiled.passedOn?.length ?? 0) > 0;
  }

  /** As far as can be seen from its text, evaluating the file calls nothing. */
  isPassive(file: string): boolean {
    return this.#parts.registry.version(file)?.prepared.compiled.effects.passive === true;
  }

  // ---- what goes on

  /** Modules whose evaluation waits for something that is no module of ours, newest first. */
  waiting(): readonly EsmModule[] {
    return this.#parts.esm.waiting();
  }

  /** The file to which what happens now is attributed: being evaluated, or going on with what its evaluation began. */
  currentModule(): string | undefined {
    const { observer } = this.#parts;
    return (observer.owner ?? observer.reader)?.file;
  }

  /** Whether modules go on reading files that they began to read at their evaluation. */
  get isReading(): boolean {
    return this.#parts.reads.mayGoOn;
  }

  /** The app starts what may write files of modules that it loads afterwards. */
  mayBeOutdated(): void {
    this.#parts.loading.mayBeOutdated();
  }

  /** Runs work of the supervisor's own: what it reads is nobody's dependency. */
  ignoringReads<Result>(run: () => Result): Result {
    return this.#parts.reads.ignore(run);
  }

  /** Tells of files that are used, by whomever, until the returned function is called. */
  watchFiles(used: FileUse): () => void {
    return this.#parts.reads.watchUses(used);
  }

  /** An object of the app was changed for the app's sake, by no module: a class that is reopened. */
  excuse(object: object): void {
    this.#parts.written.excuse(object);
  }

  /** Who is kept when `purged` go, and leads to something of `ended`. */
  holdersOf(ended: ReadonlySet<object>, purged: ReadonlySet<string>): Holders {
    return keptHolders(this.#parts, ended, purged);
  }

  /** Kept modules depend on those of `purged` from which they have filled a variable. */
  noteMemos(purged: ReadonlySet<string>): void {
    for (const [file, source] of keptMemos(this.#parts, purged)) this.currentVersion(file)?.observe(source);
  }

  /**
   * `owner`, evaluated by the plan under way, has changed for all what kept modules may have been evaluated with: these are
   * evaluated again, and whenever it is. `isExact`: so are those of the plan that it comes behind.
   */
  noteKeptUsers(
    owner: ModuleEdges,
    mayHaveUsed: (version: ModuleEdges, text: string) => boolean,
    isExact: boolean,
  ): void {
    const { registry, observer } = this.#parts;
    if (!observer.isEvaluatedInWindow(owner)) return;
    for (const { version } of registry.all()) {
      if (!version || version.edges.purged || version.edges.isPreload) continue;
      if (!isExact && observer.isEvaluatedInWindow(version.edges)) continue;
      if (mayHaveUsed(version.edges, version.prepared.compiled.body)) owner.writes(version.edges.file);
    }
  }

  /** An adapter looks after the package with these exports: what its instances hold is not looked at. */
  adapted(exports: unknown): void {
    this.#parts.natives.foreign.addAdapted(exports);
  }

  /** What a package or Node has handed to own modules. */
  isForeign(value: object): boolean {
    return this.#parts.natives.foreign.has(value);
  }

  /** Where an error comes from in the user's source: the innermost frame in an own file. */
  locate(error: unknown): { location?: SourceLocation | undefined; frame?: string | undefined } {
    return this.#parts.traces.locate(error);
  }

  /** The own file whose evaluation threw this error first. */
  fileOf(error: unknown): string | undefined {
    return this.#parts.traces.fileOf(error);
  }
}
