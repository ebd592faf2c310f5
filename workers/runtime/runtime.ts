/**
 * The module system of the app thread: evaluates own files, ES modules and CommonJS in one registry, tells who used whom
 * while being evaluated, and replaces modules in place.
 */
import type Module from "node:module";
import type { PreparedModule, Resolution } from "../../src/common/compile/compiled-module.js";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import type { SourceLocation } from "../../src/common/protocol/serialized-error.js";
import { ClassTable } from "../classes/class-table.js";
import { privateFields } from "../written/private-fields.js";
import { UNINITIALISED } from "../written/slots.js";
import { AT_RELOAD, AT_START, WrittenEdges } from "../written/written-edges.js";
import { CommonJsLoader } from "./commonjs-loader.js";
import { EdgeReport } from "./edge-report.js";
import { EsmLoader } from "./esm-loader.js";
import { FileReads, type FileUse } from "./file-reads.js";
import type { RuntimeHost } from "./host.js";
import { Linker } from "./linker.js";
import { installMainModule } from "./main-module.js";
import { ModuleBindings } from "./module-bindings.js";
import type { ModuleEdges } from "./module-edges.js";
import { compileFailure, requireAsyncModule, requireCycle, resolveFailure } from "./module-errors.js";
import { moduleInternals } from "./module-internals.js";
import type { CommonJsModule, EsmModule, ModuleRecord, ModuleVersion } from "./module-record.js";
import { NamespaceBridge } from "./namespace-bridge.js";
import { NativeIsAsync, NativeModules, nativeUrl } from "./native-modules.js";
import { Observer } from "./observer.js";
import { PackageExports } from "./package-exports.js";
import { interceptPackageRequests } from "./package-requests.js";
import type { AskedPackage, EvaluationVisits, PackageRequestWatch } from "./package-watch.js";
import { Registry } from "./registry.js";
import { Scripts } from "./script.js";
import { StackTraces } from "./stack-trace.js";

export interface RuntimeOptions {
  /** Folder below which files that are read during evaluation count as dependencies; absent: none do. */
  readonly root?: string | undefined;
  /** The app's main file: `require.main`, `import.meta.main`. */
  readonly entry: string;
  /** Scripts carry their source maps with them, for a debugger. Making one costs as much as compiling. */
  readonly inlineMaps?: boolean | undefined;
  /** Who is being evaluated; given when others need to know as well. */
  readonly observer?: Observer | undefined;
  /** What has to know what the app loads, and in which order; absent: nothing. */
  readonly packageRequests?: (PackageRequestWatch & EvaluationVisits) | undefined;
  /** What modules get as `import.meta.hot` and `module.hot`; absent: nothing. */
  readonly hot?: HotContexts | undefined;
}

export interface HotContexts {
  importMeta(module: EsmModule): object;
  module(version: ModuleVersion): object;
}

export interface RuntimePlan {
  /** In this order. */
  readonly purge: readonly string[];
  /** In this order. */
  readonly load: readonly string[];
  /** New code; a purged file without is evaluated from the code it had. */
  readonly modules: readonly PreparedModule[];
  /** Modules that stay, but whose specifiers lead elsewhere now. */
  readonly relinked: readonly PreparedModule[];
  /** Files whose code is not to be used any more: the host is asked when one is evaluated. */
  readonly forget?: readonly string[] | undefined;
  /** Before the first purge, with what will be purged; awaited. */
  readonly beforePurge?: ((files: readonly string[]) => void | Promise<void>) | undefined;
  /** Before a version is purged; awaited when it gives a promise. */
  readonly purging?: ((version: ModuleVersion) => Promise<void> | undefined) | undefined;
  /** All is purged; what comes next is the evaluation. */
  readonly purged?: (() => void) | undefined;
  /** All is evaluated; what it throws makes the plan fail all the same. */
  readonly beforeCommit?: (() => void) | undefined;
  /** The plan has failed, and the versions that it made are gone again; `written`: kept files that they wrote to. Awaited. */
  readonly rolledBack?: ((written: readonly string[]) => Promise<void>) | undefined;
  /** All is evaluated, and there is no way back; awaited. Must not throw. */
  readonly evaluated?: (() => Promise<void>) | undefined;
  /** Waits for a step of the way there, and throws when the plan has been given up meanwhile; absent: it never is. */
  readonly untilAbandoned?: (<Value>(pending: Promise<Value>) => Promise<Value>) | undefined;
}

export interface AppliedPlan {
  /** In evaluation order. */
  readonly loaded: LoadedModule[];
  /** Those of `plan.purge` that had been evaluated. */
  readonly purged: string[];
}

export class Runtime {
  /** Which classes the versions of own files have made. */
  readonly classes: ClassTable;
  /** What packages export that have been loaded. */
  readonly packages: PackageExports;
  readonly #host: RuntimeHost;
  readonly #entry: string;
  readonly #observer: Observer;
  readonly #natives: NativeModules;
  readonly #registry: Registry;
  readonly #report: EdgeReport;
  readonly #linker: Linker;
  readonly #commonJs: CommonJsLoader;
  readonly #esm: EsmLoader;
  readonly #traces: StackTraces;
  readonly #reads: FileReads;
  readonly #bindings: ModuleBindings;
  readonly #written: WrittenEdges;
  #uninstall: (() => void) | undefined;
  /** What the first `load` began with. */
  #starts: readonly string[] = [];

  constructor(host: RuntimeHost, options: RuntimeOptions) {
    const { hot } = options;
    this.#observer = options.observer ?? new Observer();
    this.#natives = new NativeModules(
      (run) => this.#loadPackage(run),
      (file, namespace) => host.packageLoaded?.(file, namespace),
      (name) => host.adapts?.(name) ?? false,
      (exports) => host.unknownPackage?.(exports),
      options.packageRequests,
      (run) => (host.linking ? host.linking(run) : run()),
    );
    this.#registry = new Registry(this.#observer, () => this.#isOutsider(), moduleInternals._cache);
    this.#bindings = new ModuleBindings(this.#registry, this.#observer, (value) => this.#natives.foreign.has(value));
    this.#written = new WrittenEdges({
      surroundings: {
        isOwnClass: (made) => this.classes.find(made) !== undefined || this.#bindings.owns(made),
        isAdapted: (value) => this.#natives.foreign.isAdapted(value),
        isForeign: (value) => this.#natives.foreign.has(value),
        privateFields: (value) => privateFields(this.classes, value),
      },
      bindingsOf: (file) => this.#bindings.of(file),
      effectsOf: (file) => this.#registry.find(file)?.version?.prepared.compiled.effects,
      capturedBy: (file) => {
        const version = this.#registry.find(file)?.version;
        return version?.kind === "commonjs" ? version.edges.observed : [];
      },
      observedBy: (file) => this.#registry.find(file)?.version?.edges.observed ?? [],
    });
    this.#observer.reached = (reader, file) => this.#written.read(reader, file);
    this.#observer.turns = this.#written;
    this.#reads = new FileReads({
      root: options.root,
      reader: () => this.#observer.reader,
      written: (file) => host.written?.(file),
      versions: () => this.#versions(),
    });
    this.#host = {
      ...host,
      prepare: (file) => this.#reads.ignore(() => host.prepare(file)),
      resolve: (specifier, importer, kind) => this.#reads.ignore(() => host.resolve(specifier, importer, kind)),
    };
    this.#entry = options.entry;
    this.#report = new EdgeReport(
      (modules) => host.loaded(modules),
      (edges) => this.classes.describe(edges),
    );
    this.packages = new PackageExports({ registry: this.#registry, natives: this.#natives, entry: options.entry });
    this.classes = new ClassTable({
      evaluating: () => this.#observer.reader,
      added: (edges) => this.#report.changed(edges),
    });
    this.#traces = new StackTraces({
      compiled: (file) => {
        const record = this.#registry.find(file);
        return (record?.version ?? record)?.prepared?.compiled;
      },
      sourceMap: (compiled) => host.sourceMap(compiled),
    });
    this.#linker = new Linker({
      registry: this.#registry,
      natives: this.#natives,
      code: (record) => this.#code(record),
      createEdges: (file) => this.#report.createEdges(file),
      bindingsOf: (target, importer) => this.#esm.bindingsOf(target, importer),
      unlink: (record) => this.#unload(record),
      namesChanged: (record) => this.#esm.updateRequiredView(record),
      linkFailed: (error, importer, specifier, name) => this.#traces.linkFailed(error, importer, specifier, name),
    });
    const shared = {
      looking: () => this.#bindings.looking,
      registry: this.#registry,
      natives: this.#natives,
      observer: this.#observer,
      scripts: new Scripts(options.inlineMaps ? (compiled) => host.sourceMap(compiled) : undefined),
      classes: this.classes,
      entry: this.#entry,
      visits: options.packageRequests,
      importFrom: (edges: ModuleEdges, specifier: unknown, options: ImportCallOptions | undefined) =>
        this.#importFrom(edges, specifier, options),
      requireOwn: (file: string, requiredBy: string | Module | undefined) => this.#requireFrom(file, requiredBy),
    };
    this.#commonJs = new CommonJsLoader({
      ...shared,
      ...(hot && { moduleHot: (version: ModuleVersion) => hot.module(version) }),
      createEdges: (file) => this.#report.createEdges(file),
      resolve: (specifier, importer) => this.#host.resolve(specifier, importer, "require"),
      evaluated: (module) => this.#evaluated(module),
      threw: (module, error) => this.#threw(module, error),
    });
    this.#esm = new EsmLoader({
      ...shared,
      ...(hot && { importMetaHot: (module: EsmModule) => hot.importMeta(module) }),
      linker: this.#linker,
      commonJs: this.#commonJs,
      resolve: (specifier, importer, kind) => this.#resolve(specifier, importer, kind),
      loadCommonJs: (record) => this.#loadCommonJs(record, undefined),
      evaluated: (module) => this.#evaluated(module),
      threw: (module, error) => this.#threw(module, error),
    });
  }

  /** Lets the whole thread have it: mapped stacks, and packages that load own files. */
  install(): void {
    if (this.#uninstall) return;
    this.#reads.install();
    const undoTraces = this.#traces.install();
    const undoRequests = interceptPackageRequests({
      resolve: (specifier, importer, kind) => this.#host.resolve(specifier, importer, kind),
      requireOwn: (file, requiredBy) => this.#requireFrom(file, requiredBy),
      bridge: (file) => this.#bridge(this.#registry.record(file)),
      importOwn: (file) => this.import(file),
      rewrite: (file) => this.#host.prepare(file).compiled.body,
      outside: (run) => this.#loadPackage(run),
    });
    const undoMainModule = installMainModule(() => this.#registry.find(this.#entry)?.module);
    this.#uninstall = () => {
      undoMainModule();
      undoRequests();
      undoTraces();
      this.#reads.uninstall();
    };
  }

  /** Runs work of the supervisor's own: what it reads is nobody's dependency. */
  ignoringReads<Result>(run: () => Result): Result {
    return this.#reads.ignore(run);
  }

  /** Takes back what `install` did; what was evaluated stays. */
  uninstall(): void {
    this.#uninstall?.();
    this.#uninstall = undefined;
  }

  /** As `uninstall`, and forgets own files in Node's own cache. */
  close(): void {
    this.uninstall();
    for (const record of this.#registry.all()) this.#unload(record);
  }

  /** Code that was compiled ahead: used from the next evaluation of its file on. */
  add(modules: Iterable<PreparedModule>): void {
    for (const prepared of modules) {
      const record = this.#registry.record(prepared.compiled.file);
      this.#registry.touch(record);
      record.prepared = prepared;
      const { version } = record;
      if (version?.kind === "esm" && version.state === "linked") this.#unload(record);
    }
    this.#forgetFailures();
  }

  /** Loads a file of a package before any own module asks for it, as if one did. */
  loadAhead(asked: Omit<AskedPackage, "isStatic">): void {
    this.#natives.loadAhead(asked);
  }

  /** Lets there be a `require.main` before the entry, which is CommonJS, is evaluated. */
  createMainModule(): void {
    this.#commonJs.moduleOf(this.#registry.record(this.#entry), undefined);
  }

  /** Tells of files that are used, by whomever, until the returned function is called. */
  watchFiles(used: FileUse): () => void {
    return this.#reads.watchUses(used);
  }

  /** Modules whose evaluation waits for something that is no module of ours, newest first. */
  waiting(): readonly EsmModule[] {
    return this.#esm.waiting();
  }

  /** The file's namespace; evaluates it and what it imports, if need be. */
  async import(file: string): Promise<object> {
    const record = this.#registry.record(file);
    await this.#evaluate(record);
    this.#esm.readAsNode(record);
    return record.namespace.object;
  }

  /** What an evaluated file exports, as plain properties; with a getter where only code of the app can tell. */
  exportsOf(file: string): Readonly<Record<string, unknown>> {
    const { namespace } = this.#registry.record(file);
    const exports: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const name of namespace.names()) {
      const value = this.#bindings.look(() => Reflect.get(namespace.object, name) as unknown);
      const get = () => Reflect.get(namespace.object, name) as unknown;
      Object.defineProperty(exports, name, { enumerable: true, ...(value === UNINITIALISED ? { get } : { value }) });
    }
    return exports;
  }

  /** `module.exports` or the namespace. Throws ERR_REQUIRE_ASYNC_MODULE when there is top-level await in the graph. */
  require(file: string, requiredBy?: Module): unknown {
    return this.#requireFrom(file, requiredBy);
  }

  /** Evaluates the file for somebody who takes nothing from it; throws ERR_REQUIRE_ASYNC_MODULE as `require`. */
  loadSync(file: string): void {
    const record = this.#registry.record(file);
    if (this.#isCommonJs(record)) this.#loadCommonJs(record, undefined);
    else this.#evaluateSync(record, undefined);
  }

  /** True when the file is evaluated, or being evaluated. */
  has(file: string): boolean {
    return this.#registry.find(file)?.version !== undefined;
  }

  /** Whether this is the version of its file that imports lead to. */
  isCurrent(version: ModuleEdges): boolean {
    return this.#registry.find(version.file)?.version?.edges === version;
  }

  /** The version of a file that is loaded, or being loaded. */
  currentVersion(file: string): ModuleEdges | undefined {
    return this.#registry.find(file)?.version?.edges;
  }

  /** What importers of the file read, whichever version is current. */
  namespaceOf(file: string): object {
    return this.#registry.record(file).namespace.object;
  }

  /** The own file to which a specifier leads in a module; undefined for what is not own. Throws when it leads nowhere. */
  targetOf(specifier: string, { prepared, record }: ModuleVersion, kind: "import" | "require"): string | undefined {
    const index = prepared.compiled.imports.findIndex((imported) => imported.specifier === specifier);
    const named = prepared.imports[index];
    const required = Object.hasOwn(prepared.requires, specifier) ? prepared.requires[specifier] : undefined;
    const known = kind === "require" ? (required ?? named) : (named ?? required);
    const target = known ?? this.#resolve(specifier, record.file, kind);
    return target.type === "file" ? target.file : undefined;
  }

  /** Evaluates files for the first time, in this order. What was evaluated is then taken with `takeLoaded`. */
  async load(files: Iterable<string>): Promise<void> {
    const starts = [...files];
    this.#starts = starts;
    this.#report.hold();
    this.#observer.openWindow();
    this.#written.bounds = AT_START;
    this.#observer.evaluatesMany = true;
    try {
      for (const file of starts) await this.#evaluate(this.#registry.record(file));
    } finally {
      this.#observer.evaluatesMany = false;
      this.#report.release();
    }
  }

  /** What was evaluated, or found to have more edges, and has not been told yet. */
  takeLoaded(): LoadedModule[] {
    return this.#report.take();
  }

  /** Tells the host now which edges have come up lately, if any. */
  deliverEdges(): void {
    this.#report.deliver();
  }

  /**
   * What comes up from now on is told when the returned function is called (once): the host takes a plan's outcome for what
   * holds at that moment, and would lose what it had heard before.
   */
  holdEdges(): () => void {
    this.#report.hold();
    return () => this.#report.release();
  }

  /** Replaces modules. If anything throws, every module is as it was before, and the error is thrown again. */
  async applyPlan(plan: RuntimePlan): Promise<AppliedPlan> {
    this.#report.deliver();
    this.#report.hold();
    this.#observer.openWindow();
    this.#written.settle();
    this.#written.bounds = AT_RELOAD;
    this.#registry.begin();
    const until = plan.untilAbandoned ?? (<Value>(pending: Promise<Value>) => pending);
    try {
      const outdated = this.#evaluatedMeanwhile(plan);
      this.add(plan.modules);
      for (const prepared of plan.relinked) this.#relink(prepared);
      for (const file of plan.forget ?? []) this.#forgetCode(file);
      const purged: string[] = [];
      const goes = new Set([...plan.purge, ...outdated, ...(plan.forget ?? [])]);
      await plan.beforePurge?.([...goes].filter((file) => this.has(file)));
      for (const file of goes) {
        const version = this.#registry.find(file)?.version;
        if (!version) continue;
        const purging = plan.purging?.(version);
        if (purging) await until(purging);
        if (this.#purge(file)) purged.push(file);
      }
      plan.purged?.();
      this.#observer.evaluatesMany = true;
      for (const file of plan.load) await until(this.#evaluate(this.#registry.record(file)));
      await until(this.#evaluateLeftOut(purged));
      plan.beforeCommit?.();
      for (const version of this.#registry.commit()) this.classes.drop(version.edges);
      for (const file of plan.forget ?? []) this.#registry.letGo(file);
      const loaded = this.#report.take();
      // What it has kept modules read is told afterwards: they were not evaluated.
      await plan.evaluated?.();
      return { purged, loaded };
    } catch (error) {
      const written = this.#written.abandon();
      const made = this.#rollback();
      await plan.rolledBack?.(written.filter((file) => this.has(file) && !made.has(file)));
      throw error;
    } finally {
      this.#observer.evaluatesMany = false;
      this.#report.release();
    }
  }

  /** The file to which what happens now is attributed: being evaluated, or going on with what its evaluation began. */
  currentModule(): string | undefined {
    return (this.#observer.owner ?? this.#observer.reader)?.file;
  }

  /**
   * Nothing that evaluation began is going on any more, as far as anybody can tell: reads cost nothing from here on.
   * The window opens again with the next `load` or `applyPlan`.
   */
  settle(): void {
    this.#written.settle();
    this.#observer.closeWindow();
  }

  /** An object of the app was changed for the app's sake, by no module: a class that is reopened. */
  excuse(object: object): void {
    this.#written.excuse(object);
  }

  /** An adapter looks after the package with these exports: what its instances hold is not looked at. */
  adapted(exports: unknown): void {
    this.#natives.foreign.addAdapted(exports);
  }

  /** As far as can be seen from its text, evaluating the file calls nothing. */
  isPassive(file: string): boolean {
    return this.#registry.find(file)?.version?.prepared.compiled.effects.passive === true;
  }

  /** The version of the file that is evaluated, or being evaluated: what `classes` knows it by. */
  versionOf(file: string): ModuleEdges | undefined {
    return this.#registry.find(file)?.version?.edges;
  }

  /**
   * The top-level bindings that the file's version does not export, each with a getter, which throws a ReferenceError
   * while the binding is not initialised. Empty for a file that is not evaluated.
   */
  privateBindings(file: string): Readonly<Record<string, () => unknown>> {
    return this.#registry.find(file)?.version?.privateBindings?.() ?? {};
  }

  /** The text of an own file, as the version that is current or being evaluated was made from. */
  sourceOf(file: string): string | undefined {
    const record = this.#registry.find(file);
    return (record?.version ?? record)?.prepared?.compiled.source;
  }

  /** Where an error comes from in the user's source: the innermost frame in an own file. */
  locate(error: unknown): { location?: SourceLocation | undefined; frame?: string | undefined } {
    return this.#traces.locate(error);
  }

  /** The own file whose evaluation threw this error first. */
  fileOf(error: unknown): string | undefined {
    return this.#traces.fileOf(error);
  }

  #code(record: ModuleRecord): PreparedModule {
    if (record.prepared) return record.prepared;
    const prepared = this.#prepare(record.file);
    this.#registry.touch(record);
    record.prepared = prepared;
    this.#host.discovered(prepared);
    return prepared;
  }

  #prepare(file: string): PreparedModule {
    try {
      return this.#host.prepare(file);
    } catch (error) {
      throw compileFailure(resolveFailure(error));
    }
  }

  #resolve(specifier: string, importer: string, kind: "import" | "require"): Resolution {
    try {
      return this.#host.resolve(specifier, importer, kind);
    } catch (error) {
      throw resolveFailure(error);
    }
  }

  /** Evaluates a file if it is not; without a turn of the event loop when nothing in its graph is asynchronous. */
  async #evaluate(record: ModuleRecord): Promise<void> {
    for (;;) {
      if (this.#isCommonJs(record)) {
        this.#loadCommonJs(record, undefined);
        return;
      }
      try {
        const running = this.#esm.evaluate(this.#linked(record));
        if (running) await running;
        return;
      } catch (error) {
        if (!(error instanceof NativeIsAsync)) throw error;
      }
    }
  }

  #evaluateSync(record: ModuleRecord, importer: string | undefined): void {
    const module = this.#linked(record);
    if (module.state === "evaluated") return;
    if (module.state === "evaluating") {
      if (importer !== undefined) throw requireCycle(record.file, importer);
      return;
    }
    if (module.state === "waiting" || module.form !== "plain") throw requireAsyncModule(record.file);
    try {
      this.#esm.evaluate(module);
    } catch (error) {
      throw error instanceof NativeIsAsync ? requireAsyncModule(record.file) : error;
    }
  }

  #linked(record: ModuleRecord): EsmModule {
    const { version } = record;
    if (version?.kind === "esm" && version.state !== "linked") return version;
    return this.#linker.link(record);
  }

  #isCommonJs(record: ModuleRecord): boolean {
    if (record.version) return record.version.kind === "commonjs";
    return this.#code(record).compiled.format !== "esm";
  }

  #loadCommonJs(record: ModuleRecord, requiredBy: string | Module | undefined): void {
    if (record.version) return;
    this.#commonJs.load(record, this.#code(record), requiredBy);
  }

  /** A request that has outlived the drain of a reload, say. */
  #isOutsider(): boolean {
    return !this.#bindings.looking && !this.#observer.isOfWindow;
  }

  /** `require()` of an own file by another, or by a package. */
  #requireFrom(file: string, requiredBy: string | Module | undefined): unknown {
    const reader = this.#bindings.lookingAt(file) ? undefined : this.#observer.reader;
    const record = this.#registry.record(file);
    const before = this.#registry.before(record);
    if (before) return record.module ? before.exports : this.#esm.required(record);
    this.#unloadIfDeleted(record);
    const importer = typeof requiredBy === "string" ? this.#registry.find(requiredBy) : undefined;
    importer?.version?.edges.loadsDynamically(file);
    this.#observer.read(file);
    if (!this.#isCommonJs(record)) {
      this.#evaluateSync(record, importer?.file);
      if (reader) this.#written.read(reader, file);
      return this.#esm.required(record);
    }
    const cached = moduleInternals._cache[file];
    if (cached && cached !== record.module) return cached.exports;
    this.#loadCommonJs(record, requiredBy);
    if (reader) this.#written.read(reader, file);
    const { module } = record;
    if (module && importer?.module && !importer.module.children.includes(module)) importer.module.children.push(module);
    return module?.exports;
  }

  /** The app took the file out of `require.cache`. */
  #unloadIfDeleted(record: ModuleRecord): void {
    if (record.version?.kind === "commonjs" && moduleInternals._cache[record.file] === undefined) this.#unload(record);
  }

  /** What a package creates while it is loaded is nobody's, and what it reads it will not read again. */
  #loadPackage<Result>(run: () => Result): Result {
    return this.#observer.outside(() => this.#reads.loadingPackage(run));
  }

  /** `import()` in own code. */
  async #importFrom(edges: ModuleEdges, specifier: unknown, options: ImportCallOptions | undefined): Promise<unknown> {
    const text = `${specifier as string}`;
    const reader = this.#observer.reader;
    const target = this.#resolve(text, edges.file, "import");
    if (target.type !== "file") {
      if (target.type === "builtin") return import(target.name, options);
      if (options === undefined) return this.#natives.namespaceLater(target, null);
      return this.#observer.outside(() => import(nativeUrl(target), options));
    }
    edges.loadsDynamically(target.file);
    reader?.observe(target.file);
    // What comes behind the call runs before the module does, as in Node.
    await undefined;
    const record = this.#registry.record(target.file);
    if (this.#registry.before(record)) return record.namespace.object;
    const namespace = await this.import(target.file);
    if (reader) this.#written.read(reader, target.file);
    return namespace;
  }

  /**
   * A body that finds a module by a computed specifier may lead to kept modules whose static imports were purged, which no
   * plan can foresee. A start evaluates what is imported, read or not; so does this.
   */
  async #evaluateLeftOut(purged: readonly string[]): Promise<void> {
    const isLeftOut = (file: string): boolean => this.#registry.find(file)?.version === undefined;
    if (!purged.some(isLeftOut)) return;
    // A Set is walked in insertion order, entries added on the way included.
    const reached = new Set(this.#starts);
    for (const file of reached) {
      const version = this.#registry.find(file)?.version;
      if (!version) continue;
      for (const target of version.kind === "esm" ? version.imports : []) {
        if (target.type !== "own") continue;
        if (isLeftOut(target.record.file)) await this.#evaluate(target.record);
        reached.add(target.record.file);
      }
      for (const observed of version.edges.observed) reached.add(observed);
    }
  }

  *#versions(): Iterable<ModuleEdges> {
    for (const { version } of this.#registry.all()) if (version) yield version.edges;
  }

  #relink(prepared: PreparedModule): void {
    const record = this.#registry.record(prepared.compiled.file);
    this.#registry.touch(record);
    record.prepared = prepared;
    if (record.version?.kind === "esm") this.#esm.relink(record.version, prepared);
    else if (record.version) record.version.prepared = prepared;
  }

  /** Files that a request has loaded since the plan was made, when they were not evaluated yet as far as main knew. */
  #evaluatedMeanwhile({ purge, modules }: RuntimePlan): string[] {
    const planned = new Set(purge);
    return modules
      .filter(({ compiled }) => {
        const version = this.#registry.find(compiled.file)?.version;
        return version && !planned.has(compiled.file) && version.prepared.compiled.hash !== compiled.hash;
      })
      .map(({ compiled }) => compiled.file);
  }

  #forgetCode(file: string): void {
    const record = this.#registry.find(file);
    if (!record) return;
    this.#registry.touch(record);
    record.prepared = undefined;
  }

  /** False when there was nothing to purge. */
  #purge(file: string): boolean {
    const record = this.#registry.find(file);
    if (!record?.version) return false;
    this.#unload(record);
    return true;
  }

  /** The file is not evaluated from here on; whoever reads its exports late makes it so again. */
  #unload(record: ModuleRecord): void {
    const { version, module, namespace, file } = record;
    if (!version) return;
    this.#registry.touch(record);
    record.version = undefined;
    this.#written.forget(version.edges);
    this.#report.dropped(version.edges);
    if (!this.#registry.mayComeBack(record, version)) this.classes.drop(version.edges);
    const demand = (name: string) => () => this.#demand(record, name);
    namespace.bind(namespace.names().map((name) => [name, demand(name)] as const));
    if (!module) return;
    if (moduleInternals._cache[file] === module) delete moduleInternals._cache[file];
    module.exports = {};
    module.loaded = false;
    module.children.length = 0;
  }

  #demand(record: ModuleRecord, name: string): unknown {
    this.#bindings.lookingAt(record.file);
    if (this.#isCommonJs(record)) this.#loadCommonJs(record, undefined);
    else this.#evaluateSync(record, undefined);
    return Reflect.get(record.namespace.object, name);
  }

  /** For a package that imports an own file. */
  #bridge(record: ModuleRecord): NamespaceBridge {
    let ready: Promise<unknown> | undefined;
    if (this.#isCommonJs(record)) this.#loadCommonJs(record, undefined);
    else if (this.#linked(record).form === "plain") this.#evaluateSync(record, undefined);
    else ready = this.import(record.file);
    this.#esm.readAsNode(record);
    // Node would not find the others in the text, either.
    const names = record.namespace.names().filter((name) => !record.namespace.runs(name));
    const known = [...record.bridges].find((bridge) => bridge.names.join() === names.join());
    if (known) return known;
    const bridge = new NamespaceBridge(record.url, names, record.namespace, ready);
    record.bridges.add(bridge);
    return bridge;
  }

  #evaluated(module: EsmModule | CommonJsModule): void {
    const goesOn = module.record.file === this.#entry;
    this.#written.evaluated(module.edges, module.kind === "esm" && module.order > 0, goesOn);
    this.packages.changed();
    this.#host.evaluated?.(module.edges);
    this.#report.evaluated(module.edges);
    for (const bridge of module.record.bridges) bridge.update();
    if (module.kind === "commonjs") this.#linker.namesChanged(module.record);
    if (this.#observer.evaluating) return;
    if (!this.#observer.watching) this.#written.settle();
    this.#report.deliverNow();
  }

  #threw({ edges, record }: EsmModule | CommonJsModule, error: unknown): void {
    this.#written.evaluated(edges, false, false);
    this.#traces.threwIn(error, record.file);
  }

  /** What failed is evaluated again when somebody asks for it. */
  #forgetFailures(): void {
    for (const record of this.#registry.all()) {
      if (record.version?.kind === "esm" && record.version.state === "failed") this.#unload(record);
    }
  }

  /** Returns the files of the versions that are gone by it. */
  #rollback(): Set<string> {
    const made = new Set<string>();
    for (const version of this.#registry.rollback()) {
      made.add(version.edges.file);
      this.#report.dropped(version.edges);
      this.classes.drop(version.edges);
      if (version.kind === "esm") this.#esm.discard(version);
    }
    for (const record of this.#registry.all()) {
      const { version, bridges } = record;
      if (!version) continue;
      this.#esm.updateRequiredView(record);
      this.#report.restored(version.edges);
      for (const bridge of bridges) bridge.update();
    }
    return made;
  }
}
