/**
 * Links ES modules: makes a version of every module that an import leads to, gives their namespaces the exported names,
 * and checks that every imported name exists, before any of them is evaluated.
 */
import type { CompiledModule, PreparedModule, Resolution } from "../../src/common/compile/compiled-module.js";
import { CommonJsNames } from "./commonjs-names.js";
import { hasAsCommonJs } from "./commonjs-view.js";
import { type ExportShape, exportNames, isCircular, WHOLE_NAMESPACE } from "./export-names.js";
import { attributeProblem } from "./import-attributes.js";
import type { ModuleEdges } from "./module-edges.js";
import { ambiguousExport, circularExport, missingCommonJsExport, missingExport } from "./module-errors.js";
import { EsmModule, type ImportTarget, type ModuleRecord } from "./module-record.js";
import type { Read } from "./namespace.js";
import { type NativeModules, urlOf } from "./native-modules.js";
import type { Registry } from "./registry.js";

export interface LinkerContext {
  readonly registry: Registry;
  readonly natives: NativeModules;
  /** The code of a file; prepares it when nobody has added it. */
  code(record: ModuleRecord): PreparedModule;
  /** The module to which an import leads. */
  recordOf(target: Resolution & { type: "file" }): ModuleRecord;
  createEdges(file: string): ModuleEdges;
  /** What the importer's body reads imported bindings from. */
  bindingsOf(target: ImportTarget, importer: PreparedModule): unknown;
  resolve(specifier: string, importer: string): Resolution;
  /** Whether the file is loaded by what the app has registered for its extension. */
  hasHandler(file: string): boolean;
  /** Puts a file whose graph could not be linked back to "not loaded". */
  unlink(record: ModuleRecord): void;
  namesChanged(record: ModuleRecord): void;
  /** Notes that the error is in this import; gives it back. */
  linkFailed(error: SyntaxError, importer: PreparedModule, specifier: string, name: string): SyntaxError;
}

export class Linker {
  readonly #context: LinkerContext;
  /**
   * File to the files that have had `export *` from it, in some version. By file, so that old versions are not kept; an
   * entry lives as long as the thread.
   */
  readonly #starImporters = new Map<string, Set<ModuleRecord>>();

  readonly #commonJsNames: CommonJsNames;

  constructor(context: LinkerContext) {
    this.#context = context;
    this.#commonJsNames = new CommonJsNames({
      code: (file) => context.code(context.registry.record(file)),
      resolve: (specifier, importer) => context.resolve(specifier, importer),
    });
  }

  /** The linked graph of an ES module. Throws what preparing a file throws, and SyntaxError for a missing name. */
  link(root: ModuleRecord): EsmModule {
    const created: EsmModule[] = [];
    try {
      const linked = this.#discover(root, created);
      for (const module of created) this.installNames(module);
      for (const module of created) this.#checkNames(module);
      chooseForms(linked, this.#context.natives);
    } catch (error) {
      for (const module of created) this.#context.unlink(module.record);
      throw error;
    }
    const { version } = root;
    if (version?.kind !== "esm") throw new Error(`${root.file} is not an ES module`);
    return version;
  }

  /** Recomputes the exported names of a module, and of those that re-export all of it. */
  installNames(module: EsmModule): void {
    const { record } = module;
    const names = exportNames(record.key, (key) => this.#shapeOf(key));
    const reads = new Map<string, Read>();
    const early = module.prepared.compiled.interop === "none" ? uninitialized : notSetYet;
    for (const [name, star] of names.names) {
      reads.set(name, star === undefined ? (module.reads.get(name) ?? early(name)) : this.#starRead(star, name));
    }
    for (const [name, read] of module.commonJs?.reads ?? []) reads.set(name, read);
    this.#context.registry.touch(record);
    const before = record.namespace.names();
    record.namespace.replace(reads);
    module.exportNames = names;
    if (before.join() === record.namespace.names().join()) return;
    this.#context.namesChanged(record);
    this.namesChanged(record);
  }

  /** The names of a file changed: those that re-export all of it have other names now, too. */
  namesChanged(record: ModuleRecord): void {
    for (const importer of this.#starImporters.get(record.key) ?? []) {
      const { version } = importer;
      if (version?.kind === "esm" && hasStarOf(version, record)) this.installNames(version);
    }
  }

  /** After the dependencies of `module` were evaluated: names that only their evaluation could tell. */
  dependenciesVisited(module: EsmModule): void {
    const { compiled } = module.prepared;
    if (compiled.stars.some((k) => module.imports[k]?.type === "native" || this.#isCommonJs(module.imports[k]))) {
      this.installNames(module);
    }
    if (compiled.interop === "none") this.#checkNames(module);
  }

  /** The modules, by their keys, whose names a namespace of `key` consists of: itself, and those it re-exports all of. */
  nameSources(key: string, found = new Set<string>()): Set<string> {
    if (found.has(key)) return found;
    found.add(key);
    for (const star of this.#shapeOf(key)?.stars ?? []) this.nameSources(star, found);
    return found;
  }

  /** Nobody imports the module any more. */
  letGo(record: ModuleRecord): void {
    this.#starImporters.delete(record.key);
    for (const importers of this.#starImporters.values()) importers.delete(record);
  }

  /** Modules reachable from `root` that are not evaluated, dependencies first; those that are new are added to `created`. */
  #discover(root: ModuleRecord, created: EsmModule[]): EsmModule[] {
    const found: EsmModule[] = [];
    const seen = new Set<ModuleRecord>();
    const visit = (record: ModuleRecord): void => {
      if (seen.has(record)) return;
      seen.add(record);
      const known = record.version;
      if (known && (known.kind !== "esm" || known.state !== "linked")) {
        if (known.kind === "esm" && known.state === "waiting") found.push(known);
        return;
      }
      const prepared = known?.prepared ?? this.#context.code(record);
      if (prepared.compiled.format !== "esm") return;
      const module = known ?? this.#create(record, prepared, created);
      for (const target of module.imports) if (target.type === "own") visit(target.record);
      found.push(module);
    };
    visit(root);
    return found;
  }

  #create(record: ModuleRecord, prepared: PreparedModule, created: EsmModule[]): EsmModule {
    const { registry, createEdges } = this.#context;
    registry.touch(record);
    const module = new EsmModule(record, prepared, createEdges(record.file));
    record.version = module;
    created.push(module);
    // What an import reads depends on what its target is.
    for (const [k, target] of prepared.imports.entries()) {
      if (target.type !== "file") continue;
      const imported = this.#context.recordOf(target);
      const known = imported.version?.prepared ?? this.#context.code(imported);
      const problem = attributeProblem({
        importer: record.file,
        url: imported.url,
        isJson: known.compiled.format === "json",
        attributes: prepared.compiled.imports[k]?.attributes ?? null,
      });
      // Hooks may have attributes of their own.
      if (problem && prepared.compiled.interop === "none" && !this.#context.hasHandler(target.file)) throw problem;
    }
    this.bindImports(module, prepared);
    return module;
  }

  /** Lets the imports of a module lead where `prepared` says. */
  bindImports(module: EsmModule, prepared: PreparedModule): void {
    const { recordOf, bindingsOf } = this.#context;
    module.imports = prepared.imports.map((resolution, k): ImportTarget => {
      if (resolution.type === "file") return { type: "own", record: recordOf(resolution) };
      return { type: "native", target: resolution, attributes: prepared.compiled.imports[k]?.attributes ?? null };
    });
    module.namespaces = module.imports.map((target) => bindingsOf(target, prepared));
    for (const k of prepared.compiled.stars) {
      const target = module.imports[k];
      if (target?.type !== "own") continue;
      const importers = this.#starImporters.get(target.record.key) ?? new Set();
      this.#starImporters.set(target.record.key, importers.add(module.record));
    }
  }

  #checkNames(module: EsmModule): void {
    const { compiled } = module.prepared;
    if (compiled.interop !== "none") return;
    for (const [k, { names, specifier }] of compiled.imports.entries()) {
      const target = module.imports[k];
      if (target?.type !== "own") continue;
      const { version } = target.record;
      if (version?.kind !== "esm") {
        this.#checkCommonJsNames(module, target.record, names, specifier);
        continue;
      }
      for (const name of names) {
        if (target.record.namespace.has(name) || hasAsCommonJs(version, name)) continue;
        const ambiguous = version.exportNames?.ambiguous.has(name);
        if (!ambiguous && version.state !== "evaluated" && this.#hasUnknownNames(target.record.key)) continue;
        const error = ambiguous ? ambiguousExport(specifier, name) : missingExport(specifier, name);
        throw this.#context.linkFailed(error, module.prepared, specifier, name);
      }
    }
    for (const { exported, from, name } of compiled.passedOn ?? []) {
      const specifier = compiled.imports[from]?.specifier ?? "";
      if (name === undefined || !isCircular(module.record.key, exported, (key) => this.#shapeOf(key))) continue;
      throw this.#context.linkFailed(circularExport(specifier, name), module.prepared, specifier, name);
    }
  }

  /** The exports that Node gives an ES module of a CommonJS file, but for the whole; undefined: it decides by more than the text. */
  commonJsNames({ file, version }: ModuleRecord): ReadonlySet<string> | undefined {
    if (version?.prepared.compiled.format !== "commonjs" || this.#context.hasHandler(file)) return undefined;
    return this.#commonJsNames.all(version.prepared);
  }

  #checkCommonJsNames(
    module: EsmModule,
    { file, version, prepared = version?.prepared }: ModuleRecord,
    names: readonly string[],
    specifier: string,
  ): void {
    if (prepared?.compiled.format !== "commonjs" || this.#context.hasHandler(file)) return;
    const missing = this.#commonJsNames.missing(prepared, names);
    if (missing !== undefined)
      throw this.#context.linkFailed(
        missingCommonJsExport(specifier, missing, module.prepared.compiled.source),
        module.prepared,
        specifier,
        missing,
      );
  }

  /** Whether an `export *` leads to something whose names only its evaluation tells. */
  #hasUnknownNames(key: string): boolean {
    for (const source of this.nameSources(key)) {
      const version = this.#context.registry.version(source);
      if (version?.kind !== "esm" || version.commonJs) return true;
    }
    return false;
  }

  #isCommonJs(target: ImportTarget | undefined): boolean {
    return target?.type === "own" && target.record.version?.kind === "commonjs";
  }

  #shapeOf(key: string): ExportShape | undefined {
    const record = this.#context.registry.find(key);
    if (!record) {
      const namespace = this.#context.natives.loaded(key);
      return namespace && { own: Object.keys(namespace), stars: [], passedOn: () => new Map() };
    }
    const prepared = record.version?.prepared ?? record.prepared;
    if (prepared?.compiled.format !== "esm") {
      return { own: record.namespace.names(), stars: [], passedOn: () => new Map() };
    }
    const { version } = record;
    const keys = version?.kind === "esm" ? version.imports.map(keyOfTarget) : prepared.imports.map(keyOf);
    return {
      own: prepared.compiled.exports,
      stars: prepared.compiled.stars.map((k) => keys[k] ?? ""),
      passedOn: () => passedOnImports(prepared.compiled, keys),
    };
  }

  #starRead(star: string, name: string): Read {
    const { registry, natives } = this.#context;
    const namespace = registry.find(star)?.namespace.object ?? natives.loaded(star) ?? {};
    return () => Reflect.get(namespace, name);
  }
}

function hasStarOf({ prepared, imports }: EsmModule, record: ModuleRecord): boolean {
  return prepared.compiled.stars.some((k) => {
    const target = imports[k];
    return target?.type === "own" && target.record === record;
  });
}

function keyOfTarget(target: ImportTarget): string {
  return target.type === "own" ? target.record.key : urlOf(target.target);
}

function keyOf(resolution: Resolution): string {
  return resolution.type === "file" ? resolution.file : urlOf(resolution);
}

/** Exported name to the module (its entry in `keys`, parallel to the imports) and the name there. */
function passedOnImports(
  { passedOn = [] }: CompiledModule,
  keys: readonly string[],
): ReturnType<ExportShape["passedOn"]> {
  return new Map(
    passedOn.map(({ exported, from, name = WHOLE_NAMESPACE }) => [exported, { target: keys[from] ?? "", name }]),
  );
}

/** In CommonJS exports that are not set yet are undefined. */
function notSetYet(): Read {
  return () => undefined;
}

function uninitialized(name: string): Read {
  return () => {
    throw new ReferenceError(`Cannot access '${name}' before initialization`);
  };
}

/**
 * A module stops behind its prologue if it has top-level await or if something that it imports may be under way when
 * its turn comes. `linked` has dependencies first, so that one pass settles all but cycles.
 */
function chooseForms(linked: readonly EsmModule[], natives: NativeModules): void {
  const asynchronous = new Set<EsmModule>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const module of linked) {
      if (asynchronous.has(module)) continue;
      const isAsynchronous =
        module.hasTopLevelAwait ||
        module.state === "waiting" ||
        module.imports.some((target) =>
          target.type === "own"
            ? target.record.version?.kind === "esm" && asynchronous.has(target.record.version)
            : natives.isAsync(target.target, target.attributes),
        );
      if (!isAsynchronous) continue;
      asynchronous.add(module);
      changed = true;
    }
  }
  for (const module of linked) {
    if (module.state !== "linked") continue;
    module.form = module.hasTopLevelAwait ? "async" : asynchronous.has(module) ? "resumable" : "plain";
  }
}
