/**
 * Evaluates own files for all who ask: importers, `require()`, `import()`, packages, those who read an export late. And
 * takes them back to "not loaded".
 */
import type Module from "node:module";
import { fileURLToPath } from "node:url";
import type { PreparedModule, Resolution, ResolveKind } from "../../src/common/compile/compiled-module.js";
import { isBelowPackages } from "../../src/common/paths.js";
import type { ClassTable } from "../classes/class-table.js";
import type { WrittenEdges } from "../written/written-edges.js";
import { exportsSoFar } from "./circular-require.js";
import type { CommonJsLoader } from "./commonjs-loader.js";
import { isCompiledForCommonJs } from "./commonjs-view.js";
import type { EdgeReport } from "./edge-report.js";
import type { EsmLoader } from "./esm-loader.js";
import type { FileReads } from "./file-reads.js";
import type { RuntimeHost } from "./host.js";
import { areImportOptions, attributeProblem } from "./import-attributes.js";
import type { Linker } from "./linker.js";
import type { LoaderChanges } from "./loader-changes.js";
import { runAsMainScript } from "./main-script.js";
import type { ModuleBindings } from "./module-bindings.js";
import type { ModuleEdges } from "./module-edges.js";
import { hintAtScope, requireAsyncModule, requireCycle, resolveFailure } from "./module-errors.js";
import { moduleInternals } from "./module-internals.js";
import type { EsmModule, ModuleRecord, ModuleVersion } from "./module-record.js";
import { type Attributes, NativeIsAsync, type NativeModules, urlOf } from "./native-modules.js";
import { NewestCode } from "./newest-code.js";
import type { Observer } from "./observer.js";
import type { PackageExports } from "./package-exports.js";
import type { Registry } from "./registry.js";
import type { StackTraces } from "./stack-trace.js";

/** The parts of the module system that all of it is made of. */
export interface LoadingContext {
  readonly host: RuntimeHost;
  readonly entry: string;
  readonly observer: Observer;
  readonly reads: FileReads;
  readonly natives: NativeModules;
  readonly registry: Registry;
  readonly bindings: ModuleBindings;
  readonly report: EdgeReport;
  readonly classes: ClassTable;
  readonly written: WrittenEdges;
  readonly packages: PackageExports;
  readonly traces: StackTraces;
  readonly changes: LoaderChanges;
  readonly linker: Linker;
  readonly commonJs: CommonJsLoader;
  readonly esm: EsmLoader;
}

export class Loading {
  readonly #context: LoadingContext;
  readonly #code: NewestCode;

  constructor(context: LoadingContext) {
    this.#context = context;
    this.#code = new NewestCode(context);
  }

  /** The newest code of a file, prepared now when nobody has, or when the hooks of Node's loader have not been asked. */
  code(record: ModuleRecord): PreparedModule {
    return this.#code.of(record);
  }

  /** The app writes files of modules, or has started what may do so: what was prepared is compared with the disk. */
  mayBeOutdated(): void {
    this.#code.mayBeOutdated = true;
  }

  /** Main prepares what comes next anew. */
  isUpToDate(): void {
    this.#code.mayBeOutdated = false;
  }

  resolve(specifier: string, importer: string, kind: ResolveKind, attributes: Attributes = null): Resolution {
    try {
      return this.#context.changes.resolve(specifier, importer, kind, attributes);
    } catch (error) {
      throw resolveFailure(error);
    }
  }

  /** Evaluates a file if it is not; without a turn of the event loop when nothing in its graph is asynchronous. */
  async evaluate(record: ModuleRecord): Promise<void> {
    for (;;) {
      if (this.#isCommonJs(record)) {
        this.loadCommonJs(record, undefined);
        return;
      }
      try {
        const running = this.#context.esm.evaluate(this.#linked(record));
        if (running) await running;
        return;
      } catch (error) {
        if (!(error instanceof NativeIsAsync)) throw error;
      }
    }
  }

  /** A file that a start evaluates, and nobody imports: what is CommonJS runs, and throws, as the main script of a process does. */
  evaluateRoot(record: ModuleRecord, threw: (error: unknown) => void): Promise<void> {
    return this.#isCommonJs(record)
      ? runAsMainScript(() => this.loadCommonJs(record, undefined), threw)
      : this.evaluate(record);
  }

  /** The same without waiting. Throws ERR_REQUIRE_ASYNC_MODULE when there is top-level await in the graph. */
  evaluateSync(record: ModuleRecord, importer?: string): void {
    if (this.#isCommonJs(record)) this.loadCommonJs(record, undefined);
    else this.#evaluateEsm(record, importer);
  }

  loadCommonJs(record: ModuleRecord, requiredBy: string | Module | undefined): void {
    if (record.version) return;
    this.#context.commonJs.load(record, this.code(record), requiredBy);
  }

  /** The module to which an import leads. What is no ES module is one for all queries: it is in `require.cache`. */
  recordOf({ file, search }: Resolution & { type: "file" }): ModuleRecord {
    const { registry } = this.#context;
    const record = registry.record(file);
    if (search === undefined) return record;
    const { format, interop } = (record.version?.prepared ?? this.code(record)).compiled;
    return format === "esm" && interop === "none" ? registry.instance(file, search) : record;
  }

  /** Nobody need know a module with a query any more but those who have hold of it. */
  letGo(record: ModuleRecord): void {
    const { classes, written, linker } = this.#context;
    linker.letGo(record);
    if (!record.version) return;
    classes.drop(record.version.edges);
    written.forget(record.version.edges);
  }

  /** The namespace as Node would give it to an ES module. */
  async import(record: ModuleRecord): Promise<object> {
    const { esm } = this.#context;
    await this.evaluate(record);
    esm.readAsNode(record);
    return record.namespace.object;
  }

  /** `require()` of an own file by another, or by a package. */
  requireFrom(file: string, requiredBy: string | Module | undefined, parent?: Module): unknown {
    const { bindings, observer, registry, written, esm } = this.#context;
    const reader = bindings.lookingAt(file) ? undefined : observer.reader;
    const record = registry.record(file);
    const before = registry.before(record);
    if (before) return record.module ? before.exports : esm.required(record);
    this.#unloadIfDeleted(record);
    const importer = typeof requiredBy === "string" ? registry.find(requiredBy) : undefined;
    importer?.version?.edges.loadsDynamically(file);
    observer.read(file);
    const isCommonJs = this.#isCommonJs(record);
    const cached = moduleInternals._cache[file];
    if (cached && cached !== record.module && cached !== record.cached) return cached.exports;
    if (!isCommonJs) {
      this.#evaluateEsm(record, importer?.file);
      if (reader) written.read(reader, file);
      if (!cached) esm.cacheRequired(record);
      return esm.required(record);
    }
    // An ES module has none of its own: that of `createRequire()` stands for it.
    this.loadCommonJs(record, importer && !importer.module ? (parent ?? requiredBy) : requiredBy);
    if (reader) written.read(reader, file);
    const { module } = record;
    if (module && importer?.module && !importer.module.children.includes(module)) importer.module.children.push(module);
    return module && record.version?.state === "evaluating" ? exportsSoFar(module) : module?.exports;
  }

  /** `import()` in own code. */
  async importFrom(edges: ModuleEdges, specifier: unknown, options: ImportCallOptions | undefined): Promise<unknown> {
    const { observer, natives, registry, written, changes, esm } = this.#context;
    const text = `${specifier as string}`;
    // The engine says what is wrong with them.
    if (!areImportOptions(options)) return import("node:module", options);
    const { reader } = observer;
    const target = this.resolve(text, edges.file, "import", changes.hasHooks ? (options?.with ?? null) : null);
    if (target.type !== "file") {
      this.#leftToNode(edges, target);
      if (changes.isRegistered) return natives.importAs(text, edges.file, options);
      const url = urlOf(target);
      if (target.type === "builtin") return changes.answering(url, url, () => import(url, options));
      if (options === undefined) return natives.namespaceLater(target, null);
      return observer.outside(() => changes.answering(url, url, () => import(url, options)));
    }
    edges.loadsDynamically(target.file);
    if (reader) reader.observe(target.file);
    else observer.read(target.file);
    // What comes behind the call runs before the module does, as in Node.
    await undefined;
    const record = this.recordOf(target);
    if (registry.before(record)) return record.namespace.object;
    this.#checkAttributes(record, edges.file, options);
    await this.import(record);
    if (reader) written.read(reader, target.file);
    return esm.namespaceFor(record, registry.find(edges.file));
  }

  #checkAttributes(record: ModuleRecord, importer: string, options: ImportCallOptions | undefined): void {
    // Hooks may have their own.
    if (this.#context.changes.hasHooks) return;
    const isJson = (record.version?.prepared ?? this.code(record)).compiled.format === "json";
    const attributes = options?.with ?? null;
    const { interop = "none" } = this.#context.registry.find(importer)?.version?.prepared.compiled ?? {};
    const problem = attributeProblem({ url: record.url, isJson, attributes, importer });
    if (problem && interop === "none") throw problem;
  }

  /**
   * What a package creates while it is loaded is nobody's, and what it reads it will not read again. `evaluates`: it may not
   * have been loaded before.
   */
  loadPackage<Result>(run: () => Result, evaluates = true): Result {
    const { observer, reads } = this.#context;
    return observer.outside(() => reads.loadingPackage(run), evaluates);
  }

  /**
   * What a package changes of Node's loader while it is loaded (handlebars adds an extension) stays, as it is not loaded
   * again; what the module that asks for it has changed before is that module's doing.
   */
  askPackage<Result>(run: () => Result): Result {
    const { changes, observer } = this.#context;
    if (!observer.reader) return run();
    if (changes.changedSince()) this.#onceInThread(observer.reader, observer.reader.file);
    try {
      return run();
    } finally {
      changes.changedSince();
    }
  }

  /** Whether nothing in its graph is asynchronous. */
  isSynchronous(record: ModuleRecord): boolean {
    return this.#isCommonJs(record) || this.#linked(record).form === "plain";
  }

  /** Code that was compiled ahead: used from the next evaluation of its file on. */
  add(modules: Iterable<PreparedModule>): void {
    const { registry } = this.#context;
    const unloadAll = (records: Iterable<ModuleRecord>, state: EsmModule["state"]): void => {
      for (const record of records)
        if (record.version?.kind === "esm" && record.version.state === state) this.unload(record);
    };
    for (const prepared of modules) unloadAll(registry.prepare(prepared), "linked");
    // What failed is evaluated again when somebody asks for it.
    unloadAll(registry.all(), "failed");
  }

  /** The file is not evaluated from here on; a late read of its exports evaluates it again. */
  unload(record: ModuleRecord): void {
    const { registry, written, report, classes } = this.#context;
    const { version, module, namespace, file } = record;
    if (!version) return;
    registry.touch(record);
    record.version = undefined;
    written.forget(version.edges);
    report.dropped(version.edges);
    if (!registry.mayComeBack(record, version)) classes.drop(version.edges);
    const demand = (name: string) => () => this.#demand(record, name);
    namespace.bind(namespace.names().map((name) => [name, demand(name)] as const));
    this.leaveCache(record);
    if (!module) return;
    if (moduleInternals._cache[file] === module) delete moduleInternals._cache[file];
    module.exports = {};
    module.loaded = false;
    module.children.length = 0;
  }

  /** An ES module that was required is not in `require.cache` any more. */
  leaveCache({ file, cached }: ModuleRecord): void {
    if (cached && moduleInternals._cache[file] === cached) delete moduleInternals._cache[file];
  }

  /** A version has been evaluated. */
  evaluated(module: ModuleVersion): void {
    const { entry, written, packages, host, report, linker, esm, observer, reads } = this.#context;
    const goesOn = module.record.file === entry;
    for (const target of module.prepared.imports) this.#leftToNode(module.edges, target);
    // Others were loaded as it wanted them to be: they would have to be again.
    if (this.#context.changes.changedSince()) this.#onceInThread(module.edges, module.record.file);
    written.evaluated(module.edges, module.kind === "esm" && module.order > 0, goesOn);
    packages.changed();
    host.evaluated?.(module.edges);
    reads.giveEarlyReads(module.edges);
    report.evaluated(module.edges);
    for (const bridge of module.record.bridges) bridge.update();
    if (module.kind === "commonjs") {
      if (module.record.isImported) esm.readAsNode(module.record);
      linker.namesChanged(module.record);
    }
    if (observer.evaluating) return;
    if (!observer.watching) written.settle();
    report.deliverNow();
  }

  /** Own files that Node itself has loaded, because hooks want it so: it keeps them, so that only a fresh worker has the next. */
  #leftToNode(edges: ModuleEdges, target: Resolution): void {
    const url = target.type === "builtin" && target.name.startsWith("file:") ? new URL(target.name) : undefined;
    const file = url ? fileURLToPath(url) : target.type === "native" ? target.file : undefined;
    if (file === undefined || isBelowPackages(file)) return;
    this.#onceInThread(edges, file);
  }

  /** When this file changes, only a fresh worker can take that in. */
  #onceInThread(edges: ModuleEdges, file: string): void {
    edges.readsFile(file, this.#context.reads.hashOf(file));
    edges.packageUses(file);
  }

  /** The evaluation of a version has failed by its own code. */
  threw({ edges, record, kind, prepared }: ModuleVersion, error: unknown): void {
    const { written, traces, reads } = this.#context;
    if (kind === "esm" && prepared.compiled.interop === "none") {
      reads.ignore(() => hintAtScope(error, record.file, prepared.compiled.topLevelAwait));
    }
    written.evaluated(edges, false, false);
    traces.threwIn(error, record.file);
  }

  #evaluateEsm(record: ModuleRecord, importer: string | undefined): void {
    const module = this.#linked(record);
    if (module.state === "evaluated") {
      const isAsynchronous = module.form !== "plain" && !this.#context.changes.isRegistered;
      if (importer !== undefined && isAsynchronous) throw requireAsyncModule(record.file, importer);
      return;
    }
    if (module.state === "evaluating") {
      // In CommonJS a cycle gives what is exported so far.
      if (importer !== undefined && !isCompiledForCommonJs(module)) throw requireCycle(record.file, importer);
      return;
    }
    if (module.state === "waiting" || module.form !== "plain") throw requireAsyncModule(record.file, importer);
    try {
      this.#context.esm.evaluate(module);
    } catch (error) {
      throw error instanceof NativeIsAsync ? requireAsyncModule(record.file, importer) : error;
    }
  }

  #linked(record: ModuleRecord): EsmModule {
    const { version } = record;
    if (version?.kind === "esm" && version.state !== "linked") return version;
    return this.#context.linker.link(record);
  }

  #isCommonJs(record: ModuleRecord): boolean {
    if (record.version) return record.version.kind === "commonjs";
    return this.code(record).compiled.format !== "esm";
  }

  /** The app took the file out of `require.cache`. */
  #unloadIfDeleted(record: ModuleRecord): void {
    if (record.version?.kind === "commonjs" && moduleInternals._cache[record.file] === undefined) this.unload(record);
  }

  #demand(record: ModuleRecord, name: string): unknown {
    this.#context.bindings.lookingAt(record.file);
    this.evaluateSync(record);
    return Reflect.get(record.namespace.object, name);
  }
}
