/** Puts the parts of the module system together, in the order in which they depend on each other. */

import type Module from "node:module";
import { createRequire } from "node:module";
import { ClassTable } from "../classes/class-table.js";
import { LateWrites } from "../written/late-writes.js";
import { privateFields } from "../written/private-fields.js";
import { WrittenEdges, type WrittenEdgesContext } from "../written/written-edges.js";
import { CommonJsLoader } from "./commonjs-loader.js";
import { EdgeReport } from "./edge-report.js";
import { EsmLoader } from "./esm-loader.js";
import { noticingFailure } from "./failed-imports.js";
import type * as fileReadsModule from "./file-reads.js";
import type { HotContexts, RuntimeHost, RuntimeOptions } from "./host.js";
import { Linker, type LinkerContext } from "./linker.js";
import { LoaderChanges } from "./loader-changes.js";
import { Loading, type LoadingContext } from "./loading.js";
import { ModuleBindings } from "./module-bindings.js";
import type { ModuleEdges } from "./module-edges.js";
import { moduleInternals } from "./module-internals.js";
import type { EsmModule, ModuleVersion } from "./module-record.js";
import { NativeModules } from "./native-modules.js";
import { Observer } from "./observer.js";
import { OwnSourceMaps } from "./own-source-maps.js";
import { PackageExports } from "./package-exports.js";
import type { EvaluationVisits } from "./package-watch.js";
import { Registry } from "./registry.js";
import { ResolveLookups } from "./resolve-lookups.js";
import { Scripts } from "./script.js";
import { StackTraces } from "./stack-trace.js";
import { Swapping } from "./swapping.js";

export interface RuntimeParts extends LoadingContext {
  readonly sourceMaps: OwnSourceMaps;
  readonly swapping: Swapping;
  readonly state: WrittenEdgesContext;
  readonly globals: RuntimeOptions["globals"];
  readonly cells: boolean;
  readonly lookups: ResolveLookups;
  readonly loading: Loading;
}

/** What a part calls may come further down: nothing is called before all are there. */
export function assemble(asked: RuntimeHost, options: RuntimeOptions): RuntimeParts {
  const { entry, hot, packageRequests } = options;
  const observer = options.observer ?? new Observer();
  // By its path, so that no bundle has it: workers/ledger/caller.ts knows its frames by the file.
  const { FileReads } = createRequire(import.meta.url)("./file-reads.js") as typeof fileReadsModule;
  const reads = new FileReads({
    root: options.root,
    reader: () => observer.fileReader,
    isActive: () => observer.active,
    repetition: () => observer.repetition,
    continuedTurn: () => observer.continuedTurn,
    sourceOf: (file) => registry.preparedOf(file)?.compiled.source,
    packageUsed: (file, writes) => asked.packageUsed?.(file, writes),
    packageSought: (specifier, importer) => asked.packageSought?.(specifier, importer),
    late: asked.lateReads,
    written: (file) => asked.written?.(file),
    versions: () => registry.versions(),
    isModule: (file) => registry.find(file) !== undefined,
    moduleWritten(file, hash) {
      // It is loaded from what is there when it is asked for, as under Node.
      loading.mayBeOutdated();
      const versions = registry.recordsOf(file).flatMap(({ version }) => version ?? []);
      // A version from before this reload is evaluated again, and those who asked for it: a fresh start would read the new text.
      const isState = versions.some(({ edges }) => !observer.watching || observer.isEvaluatedInWindow(edges));
      asked.moduleWritten?.(file, hash, isState);
    },
  });
  const { prepareAs, dynamicImports } = asked;
  const ownWork = <Result>(run: () => Result): Result => reads.ignore(() => changes.withoutHooks(run));
  const host: RuntimeHost = {
    ...asked,
    hashOf: (file) => reads.hashOf(file),
    prepare: (file) => ownWork(() => asked.prepare(file)),
    ...(dynamicImports && { dynamicImports: (...given) => ownWork(() => dynamicImports(...given)) }),
    ...(prepareAs && { prepareAs: (file, as) => reads.ignore(() => prepareAs(file, as)) }),
    resolve: (specifier, importer, kind, conditions) => {
      try {
        return ownWork(() => asked.resolve(specifier, importer, kind, conditions));
      } catch (error) {
        // Who goes on without it would have it if it came.
        reads.lookedFor(() => asked.missing?.(specifier, importer, kind) ?? []);
        reads.soughtPackage(specifier, importer);
        throw error;
      }
    },
  };
  const changes: LoaderChanges = new LoaderChanges({
    resolve: (...sought) => host.resolve(...sought),
    formatOf: (file) => host.formatOf?.(file),
    detectedFormat: (file) => detectedFormat(host, file),
    conditions: host.conditions ?? [],
    hasLoader: host.hasLoader ?? false,
    changed: () => host.loaderChanged?.(),
    registered: (undo) => host.hooksRegistered?.(undo),
  });
  const natives = new NativeModules({
    asksHooks: () => changes.isRegistered,
    answering: (specifier, url, load) => changes.answering(specifier, url, load),
    outside: (run) => loading.loadPackage(run),
    loading: (run) => loading.askPackage(run),
    loaded: (file, namespace) => host.packageLoaded?.(file, namespace),
    adapts: (name) => host.adapts?.(name) ?? false,
    handedOver: (exports) => host.handedOver?.(exports),
    unknownPackage: (exports, name) => host.unknownPackage?.(exports, name),
    requests: packageRequests,
    linking: (run) => (host.linking ? host.linking(run) : run()),
  });
  // What runs is no part of the plan under way: a request that has outlived the drain of a reload, say.
  const isOutsider = (): boolean => !bindings.looking && !observer.isOfWindow;
  const registry: Registry = new Registry({
    observer,
    isOutsider,
    moduleCache: moduleInternals._cache,
    instances: {
      isIdle: ({ version, bridges }) =>
        version !== undefined && bridges.size === 0 && !(host.undoes?.(version.edges) ?? false),
      letGo: (record) => loading.letGo(record),
    },
  });
  const bindings: ModuleBindings = new ModuleBindings(registry, observer, (value) => natives.foreign.has(value));
  const report: EdgeReport = new EdgeReport(
    (modules) => host.loaded(modules),
    (edges) => classes.describe(edges),
    (file) => registry.recordsOf(file).flatMap(({ version }) => (version ? [version.edges] : [])),
  );
  const classes = new ClassTable({ evaluating: () => observer.reader, added: (edges) => report.changed(edges) });
  const state = stateOfModules({ options, classes, bindings, natives, registry });
  const written = new WrittenEdges(state);
  observer.watchPieces(new LateWrites({ context: state, observer }));
  observer.reached = (reader, file) => written.read(reader, file);
  observer.turns = written;
  const packages = new PackageExports({ registry, natives, entry });
  const compiledOf = (file: string) => registry.preparedOf(file)?.compiled;
  const sourceMaps = new OwnSourceMaps(compiledOf);
  const traces = new StackTraces({
    compiled: compiledOf,
    swapped: (file, text) => registry.version(file)?.swaps?.text(text),
    originalOf: (name, line, column) => sourceMaps.originalOf(name, line, column),
    sourceMap: (compiled) => host.sourceMap(compiled),
  });
  const linkFailed: LinkerContext["linkFailed"] = (...given) => traces.linkFailed(...given);
  const linker = new Linker({
    registry,
    natives,
    code: (record) => loading.code(record),
    recordOf: (target) => loading.recordOf(target),
    createEdges: (file) => report.createEdges(file),
    bindingsOf: (target, importer) => esm.bindingsOf(target, importer),
    unlink: (record) => loading.unload(record),
    resolve: (specifier, importer) => changes.resolve(specifier, importer, "require"),
    hasHandler: (file) => changes.handlerOf(file) !== undefined || changes.hasHooks,
    namesChanged: (record) => esm.updateViews(record),
    linkFailed,
  });
  const scripts = new Scripts(options.inlineMaps ? (compiled) => host.sourceMap(compiled) : undefined);
  const swapping = new Swapping(registry);
  const visits: EvaluationVisits = {
    visiting: (file, withImports) => {
      swapping.evaluates();
      // What packages have changed of Node's loader since, in requests (the engine of a first view), is no module's doing.
      if (!observer.reader) changes.changedSince();
      packageRequests?.visiting(file, withImports);
    },
    bodyBegins: (file) => packageRequests?.bodyBegins(file),
  };
  const lookups = new ResolveLookups({
    reads,
    packageLookedUp: (...sought) => asked.lookedUp?.(...sought),
  });
  const shared = {
    lookups,
    registry,
    natives,
    observer,
    changes,
    scripts,
    classes,
    entry,
    visits,
    watch: swapping.watch,
  };
  const steps = {
    looking: () => bindings.looking,
    importFrom: (edges: ModuleEdges, specifier: unknown, given: ImportCallOptions | undefined) =>
      noticingFailure({ observer, reads }, () => loading.importFrom(edges, specifier, given)),
    requireOwn: (file: string, requiredBy: string | Module | undefined) => loading.requireFrom(file, requiredBy),
    evaluated: (module: ModuleVersion) => {
      swapping.evaluated();
      loading.evaluated(module);
    },
    threw: (module: ModuleVersion, error: unknown) => {
      swapping.evaluated();
      loading.threw(module, error);
    },
  };
  const commonJs = new CommonJsLoader({
    ...shared,
    ...steps,
    ...hotOf(hot),
    createEdges: (file) => report.createEdges(file),
    resolve: (specifier, importer) => changes.resolve(specifier, importer, "require"),
    prepareText: (file, source) =>
      host.prepareAs?.(file, {
        text: { source, format: undefined },
        resolve: (...sought) => changes.resolve(...sought),
      }),
  });
  const esm: EsmLoader = new EsmLoader({
    ...shared,
    ...steps,
    ...hotOf(hot),
    linker,
    linkFailed,
    commonJs,
    resolve: (...sought) => loading.resolve(...sought),
    loadCommonJs: (record) => loading.loadCommonJs(record, undefined),
    namespaceFor: (record) => esm.namespaceFor(record),
  });
  const loaders = { linker, commonJs, esm, swapping };
  const told = { report, written, packages, traces, sourceMaps };
  const parts = {
    cells: options.cells ?? false,
    entry,
    host,
    observer,
    reads,
    changes,
    natives,
    registry,
    bindings,
    classes,
    state,
    globals: options.globals,
    lookups,
    ...told,
    ...loaders,
  };
  const loading: Loading = new Loading(parts);
  return { ...parts, loading };
}

/** Node's word for what a file is when it is imported. */
function detectedFormat(host: RuntimeHost, file: string): string | undefined {
  const format = host.formatOf?.(file);
  if (format !== undefined) return format;
  return host.prepare(file).compiled.format === "esm" ? "module" : "commonjs";
}

function hotOf(hot: HotContexts | undefined) {
  if (!hot) return {};
  return {
    moduleHot: (version: ModuleVersion) => hot.module(version),
    importMetaHot: (module: EsmModule) => hot.importMeta(module),
  };
}

/** What is asked by those who look at the state of own modules. */
export function stateOfModules({
  options,
  classes,
  bindings,
  natives: { foreign },
  registry,
}: Pick<RuntimeParts, "classes" | "bindings" | "natives" | "registry"> & {
  options: RuntimeOptions;
}): WrittenEdgesContext {
  const hasGlobals = (file: string): boolean => options.globals?.has(file) ?? false;
  return {
    surroundings: {
      isOwnClass: (made) => classes.find(made) !== undefined || bindings.owns(made),
      isAdapted: (value) => foreign.isAdapted(value),
      isForeign: (value) => foreign.has(value),
      privateFields: (value) => privateFields(classes, value),
    },
    bindingsOf: (file) => {
      const own = bindings.of(file);
      return own && hasGlobals(file) ? [...own, ...(options.globals?.of(file) ?? [])] : own;
    },
    textOf: (file) => registry.version(file)?.prepared.compiled.body,
    hasGlobals,
    effectsOf: (file) => {
      const version = registry.version(file);
      return (version?.swaps?.newest ?? version?.prepared.compiled)?.effects;
    },
    capturedBy: (file) => {
      const version = registry.version(file);
      return version?.kind === "commonjs" ? version.edges.observed : [];
    },
    observedBy: (file) => registry.version(file)?.edges.observed ?? [],
  };
}
