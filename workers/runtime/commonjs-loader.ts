/** Evaluates CommonJS and JSON files, and is their `require`. */
import Module, { isBuiltin } from "node:module";
import path from "node:path";
import type { PreparedModule, Resolution } from "../../src/common/compile/compiled-module.js";
import { createModule } from "../../src/common/node-lookup.js";
import { NODE_MAJOR } from "../../src/common/node-version.js";
import { isBelowPackages } from "../../src/common/paths.js";
import { ownValue } from "../../src/common/untouched.js";
import type { ClassTable, PrivateReader } from "../classes/class-table.js";
import { evaluationOver } from "./circular-require.js";
import { commonJsReads, jsonReads } from "./commonjs-exports.js";
import type { LoaderChanges } from "./loader-changes.js";
import type { ModuleEdges } from "./module-edges.js";
import { nodeError, resolveFailure } from "./module-errors.js";
import { moduleInternals } from "./module-internals.js";
import { CommonJsModule, type ModuleRecord, type ModuleVersion, type PrivateBindings } from "./module-record.js";
import type { NativeModules } from "./native-modules.js";
import type { Observer } from "./observer.js";
import type { EvaluationVisits } from "./package-watch.js";
import type { Registry } from "./registry.js";
import type { ResolveLookups } from "./resolve-lookups.js";
import type { Scripts } from "./script.js";
import { type CallWatch, type SwapTable, VersionSwaps } from "./swaps.js";

export interface CommonJsContext {
  readonly registry: Registry;
  readonly natives: NativeModules;
  readonly observer: Observer;
  readonly scripts: Scripts;
  /** For functions with cells. */
  readonly watch: CallWatch;
  readonly classes: ClassTable;
  readonly changes: LoaderChanges;
  readonly entry: string;
  /** `module.hot` of a version; absent: there is none. */
  readonly moduleHot?: ((version: ModuleVersion) => object) | undefined;
  /** Own modules are being looked at: nothing of the app may be run. */
  looking(): boolean;
  createEdges(file: string): ModuleEdges;
  resolve(specifier: string, importer: string): Resolution;
  readonly lookups: ResolveLookups;
  /** Another text for a file, compiled. */
  prepareText(file: string, source: string): PreparedModule | undefined;
  /** `import()` as the file's code sees it. */
  importFrom(edges: ModuleEdges, specifier: unknown, options: ImportCallOptions | undefined): Promise<unknown>;
  /** Evaluates an own file of whatever format and gives what `require()` gives for it. */
  requireOwn(file: string, requiredBy: string | Module): unknown;
  evaluated(module: CommonJsModule): void;
  threw(module: CommonJsModule, error: unknown): void;
  /** What has to know when evaluations begin; absent: nothing. */
  readonly visits?: EvaluationVisits | undefined;
}

const nativeParent = Object.getOwnPropertyDescriptor(Module.prototype, "parent");

/** The parameters of compiled CommonJS. */
type CommonJsBody = (
  this: unknown,
  exports: unknown,
  require: NodeJS.Require,
  module: Module,
  filename: string,
  dirname: string,
) => void;

/** `__ur`: what compiled code calls. */
interface BodyContext {
  /** For main, which looks at the stack of a thread that is blocked. */
  readonly isPurged: boolean;
  /** `__urS`, in a module whose functions have cells. */
  readonly swaps: SwapTable;
  import(specifier: unknown, options?: ImportCallOptions): Promise<unknown>;
  class<T>(target: T, reader?: PrivateReader): T;
  scope(hidden: PrivateBindings): void;
}

export class CommonJsLoader {
  readonly #context: CommonJsContext;
  /** `module` of a file -> the `module.paths` that it was made with. */
  readonly #paths = new WeakMap<Module, readonly string[]>();

  constructor(context: CommonJsContext) {
    this.#context = context;
  }

  /** Evaluates the file, which has no version now. In Node's way, a file whose evaluation throws is not loaded. */
  load(record: ModuleRecord, prepared: PreparedModule, requiredBy: string | Module | undefined): CommonJsModule {
    const { registry, observer, createEdges } = this.#context;
    registry.touch(record);
    this.#context.visits?.visiting(record.file, false);
    const version = new CommonJsModule(record, prepared, createEdges(record.file));
    const module = this.moduleOf(record, requiredBy);
    record.version = version;
    moduleInternals._cache[record.file] = module;
    try {
      try {
        observer.evaluate(version.edges, () => this.#evaluate(version, module));
      } finally {
        evaluationOver(module);
      }
    } catch (error) {
      record.version = undefined;
      delete moduleInternals._cache[record.file];
      this.#context.classes.drop(version.edges);
      this.#context.threw(version, error);
      throw error;
    }
    module.loaded = true;
    version.state = "evaluated";
    record.namespace.replace(
      prepared.compiled.format === "json"
        ? jsonReads(ownValue(module, "exports"))
        : commonJsReads(ownValue(module, "exports"), this.#context.looking),
    );
    this.#context.evaluated(version);
    return version;
  }

  #evaluate(version: CommonJsModule, module: Module): void {
    const { record, prepared } = version;
    const handler = this.#context.changes.handlerOf(record.file);
    if (handler) {
      this.#evaluateBy(handler, version, module);
      return;
    }
    if (prepared.compiled.format === "json") {
      module.exports = JSON.parse(prepared.compiled.body);
      return;
    }
    this.#context.changes.byOwnCode(record.file, () => this.#run(version, prepared, module));
  }

  /**
   * What the app has registered for this extension loads the file. It gives the text that is to be evaluated to
   * `module._compile`, if it does not set `module.exports` itself.
   */
  #evaluateBy(handler: (module: Module, file: string) => unknown, version: CommonJsModule, module: Module): void {
    const { changes, prepareText } = this.#context;
    const { record, prepared } = version;
    if (!changes.changesCompile) {
      const compile = (text: string): unknown => {
        const isSame = text === prepared.compiled.source.replace(/^\uFEFF/, "");
        const given = isSame ? prepared : prepareText(record.file, text);
        return this.#run(version, given ?? prepared, module);
      };
      Object.defineProperty(module, "_compile", { value: compile, configurable: true, writable: true });
    }
    try {
      handler(module, record.file);
    } finally {
      Reflect.deleteProperty(module, "_compile");
    }
  }

  #run(version: CommonJsModule, prepared: PreparedModule, module: Module): unknown {
    const { record, edges } = version;
    const { scripts, classes, importFrom, watch } = this.#context;
    const create = scripts.compileCommonJs(prepared) as (ur: BodyContext) => CommonJsBody;
    const ur: BodyContext = {
      get isPurged() {
        return edges.purged;
      },
      get swaps() {
        version.swaps ??= new VersionSwaps(watch);
        return version.swaps.table;
      },
      import: (specifier, options) => importFrom(edges, specifier, options),
      class: (target, reader) => classes.define(edges, target, reader),
      scope(hidden) {
        version.privateBindings = hidden;
      },
    };
    version.scope = ur;
    const { exports, require } = module;
    return create(ur).call(exports, exports, require as NodeJS.Require, module, record.file, module.path);
  }

  /** The `module` of a file, ready for a new evaluation. */
  moduleOf(record: ModuleRecord, requiredBy: string | Module | undefined): Module {
    this.#context.registry.touch(record);
    record.requiredBy ??= requiredBy;
    // What Node itself has read the text for keeps it, out of our reach (`kModuleSource`, 22.15 to 26), and reads no other.
    const isNodes = this.#context.changes.handlerOf(record.file) !== undefined;
    const module = isNodes ? this.#createModule(record) : (record.module ?? this.#createModule(record));
    record.module = module;
    module.exports = {};
    module.loaded = false;
    module.children.length = 0;
    return module;
  }

  #createModule(record: ModuleRecord): Module {
    const { file } = record;
    const module = createModule(file, this.#parentOf(record) ?? undefined);
    this.#paths.set(module, [...module.paths]);
    if (file === this.#context.entry) module.id = ".";
    Object.defineProperty(module, "parent", {
      configurable: true,
      get: () => {
        // Which warns with `--pending-deprecation`.
        nativeParent?.get?.call(module);
        return this.#parentOf(record);
      },
      set: (value: unknown) => {
        nativeParent?.set?.call(module, value);
        Object.defineProperty(module, "parent", { value, configurable: true, writable: true });
      },
    });
    const { moduleHot } = this.#context;
    if (moduleHot) {
      const get = () => record.version && moduleHot(record.version);
      Object.defineProperty(module, "hot", { configurable: true, get });
    }
    Object.defineProperty(module, "require", {
      configurable: true,
      writable: true,
      value: this.#createRequire(record),
    });
    return module;
  }

  /** Null for the entry, undefined for what was only imported, as in Node. */
  #parentOf({ file, requiredBy }: ModuleRecord): NodeJS.Module | null | undefined {
    if (file === this.#context.entry) return null;
    return typeof requiredBy === "string" ? this.#context.registry.find(requiredBy)?.module : requiredBy;
  }

  /** One function for the file, so that it finds the version that is current. */
  #createRequire(record: ModuleRecord): NodeJS.Require {
    const { natives, registry, entry, lookups } = this.#context;
    const native = natives.requireFor(record.file);
    const require = (specifier: string): unknown => this.#require(record, specifier);
    const find = (specifier: string, options?: NodeJS.RequireResolveOptions): string => {
      if (options?.paths || typeof specifier !== "string") return native.resolve(specifier, options);
      const isHooked = this.#context.changes.hooksRequire && RESOLVE_ASKS_HOOKS;
      if (isBuiltin(specifier) && !isHooked) return specifier;
      const found = isHooked ? this.#resolvedByHooks(record.file, specifier) : this.#resolve(record, specifier);
      return found.type === "builtin" ? found.name : found.file;
    };
    const resolve = (specifier: string, options?: NodeJS.RequireResolveOptions): string =>
      lookups.during(specifier, record.file, options, () => find(specifier, options));
    const result = Object.assign(require, {
      resolve: Object.assign(resolve, { paths: native.resolve.paths }),
      main: undefined,
      extensions: native.extensions,
      cache: native.cache,
    });
    Object.defineProperty(result, "main", {
      configurable: true,
      enumerable: true,
      get: () => registry.find(entry)?.module,
    });
    return result;
  }

  #require(record: ModuleRecord, specifier: string): unknown {
    const native = this.#context.natives.requireFor(record.file);
    // Node says best what is wrong with it.
    if (typeof specifier !== "string" || specifier === "" || isUnknownBuiltin(specifier)) return native(specifier);
    const { changes } = this.#context;
    if (changes.changesRequire) return this.#requireByNode(record, specifier);
    const target = changes.hooksRequire ? this.#requiredByHooks(record, specifier) : this.#resolve(record, specifier);
    // By the name that stands there: without `node:`, Node looks into `require.cache`.
    if (target.type === "builtin" && isBuiltin(specifier))
      return this.#context.natives.requireAs(target, () =>
        changes.answering(specifier, target.name, () => native(specifier)),
      );
    const { module } = record;
    if (target.type !== "file") return this.#context.natives.require(record.file, target, { module });
    return this.#context.requireOwn(target.file, record.file);
  }

  /** Through the functions of `Module` that the app has replaced; an own file comes back to us from Node's. */
  #requireByNode({ version, prepared, module }: ModuleRecord, specifier: string): unknown {
    const { requires = {} } = version?.prepared ?? prepared ?? {};
    const target = Object.hasOwn(requires, specifier) ? requires[specifier] : undefined;
    return this.#context.natives.requireAs(target, () => Module.prototype.require.call(module, specifier));
  }

  /** Node asks hooks once for each specifier that is required, as long as what it leads to is loaded. */
  #requiredByHooks({ file, version }: ModuleRecord, specifier: string): Resolution {
    const { registry } = this.#context;
    const required = version?.kind === "commonjs" ? version.required : undefined;
    const known = required?.get(specifier);
    const isLoaded =
      known?.type === "file"
        ? registry.version(known.file) !== undefined
        : known?.type === "native" && moduleInternals._cache[known.file] !== undefined;
    if (known && isLoaded) return known;
    const target = this.#resolvedByHooks(file, specifier);
    required?.set(specifier, target);
    return target;
  }

  #resolvedByHooks(file: string, specifier: string): Resolution {
    try {
      return this.#context.resolve(specifier, file);
    } catch (error) {
      throw resolveFailure(error);
    }
  }

  #resolve(record: ModuleRecord, specifier: string): Resolution {
    const found = this.#resolveByRules(record, specifier);
    const isLacking = found.type !== "builtin" && this.#context.changes.lacksExtension(specifier, found.file);
    return isLacking ? lookUp(record, specifier) : found;
  }

  #resolveByRules(record: ModuleRecord, specifier: string): Resolution {
    const { prepared } = record.version ?? record;
    if (this.#hasOtherPaths(record) && isBareName(specifier)) return lookUp(record, specifier);
    const known = prepared && Object.hasOwn(prepared.requires, specifier) ? prepared.requires[specifier] : undefined;
    if (known) return known;
    try {
      return this.#context.resolve(specifier, record.file);
    } catch (error) {
      // Node may know more (NODE_PATH, packages that patch its lookup); if not, its error is the one that apps expect.
      if (!(error instanceof Error)) throw error;
      return lookUp(record, specifier);
    }
  }

  /** The app has changed `module.paths`, where packages are looked for. */
  #hasOtherPaths({ module }: ModuleRecord): boolean {
    const given = module && this.#paths.get(module);
    if (!given || !Array.isArray(module.paths)) return false;
    return module.paths.length !== given.length || module.paths.some((folder, index) => folder !== given[index]);
  }
}

/** Throws as Node does. */
function lookUp({ file, module }: ModuleRecord, specifier: string): Resolution {
  const found = moduleInternals._resolveFilename(specifier, module ?? createModule(file), false);
  if (isBuiltin(found)) return { type: "builtin", name: found };
  if (!path.isAbsolute(found)) throw nodeError("MODULE_NOT_FOUND", `Cannot find module '${specifier}'`);
  return isBelowPackages(found) || found.endsWith(".node")
    ? { type: "native", file: found }
    : { type: "file", file: found };
}

/** Of a package. */
function isBareName(specifier: string): boolean {
  return !/^\.{0,2}[\\/]|^\.{1,2}$|^#/.test(specifier) && !path.isAbsolute(specifier) && !isBuiltin(specifier);
}

/** Whether Node asks hooks for `require.resolve()`, too. */
const RESOLVE_ASKS_HOOKS = NODE_MAJOR >= 24;

function isUnknownBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") && !isBuiltin(specifier);
}
