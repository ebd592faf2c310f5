/** What the compiled body of an ES module is given, and what evaluating one takes. */

import type { Resolution, ResolveKind } from "../../src/common/compile/compiled-module.js";
import { DEFAULT } from "../../src/common/compile/rewrite-esm.js";
import { isObject } from "../../src/common/untouched.js";
import type { ClassTable, PrivateReader } from "../classes/class-table.js";
import { interopStar } from "./commonjs-exports.js";
import type { CommonJsLoader } from "./commonjs-loader.js";
import type { Evaluator } from "./evaluation.js";
import { createImportMeta } from "./import-meta.js";
import type { Linker, LinkerContext } from "./linker.js";
import type { ModuleEdges } from "./module-edges.js";
import { type EsmModule, fileOfKey, type ModuleRecord, type PrivateBindings } from "./module-record.js";
import type { Read } from "./namespace.js";
import type { NativeModules } from "./native-modules.js";
import type { Observer } from "./observer.js";
import type { EvaluationVisits } from "./package-watch.js";
import type { Registry } from "./registry.js";
import type { ResolveLookups } from "./resolve-lookups.js";
import type { Scripts } from "./script.js";
import { type CallWatch, type SwapTable, VersionSwaps } from "./swaps.js";

export interface EsmContext {
  readonly registry: Registry;
  readonly natives: NativeModules;
  readonly observer: Observer;
  readonly linker: Linker;
  /** As `LinkerContext` has it. */
  readonly linkFailed: LinkerContext["linkFailed"];
  readonly commonJs: CommonJsLoader;
  readonly scripts: Scripts;
  /** For functions with cells. */
  readonly watch: CallWatch;
  readonly classes: ClassTable;
  readonly entry: string;
  /** `import.meta.hot` of a version; absent: there is none. */
  readonly importMetaHot?: ((module: EsmModule) => object) | undefined;
  /** Own modules are being looked at: nothing of the app may be run. */
  looking(): boolean;
  resolve(specifier: string, importer: string, kind: ResolveKind): Resolution;
  readonly lookups: ResolveLookups;
  importFrom(edges: ModuleEdges, specifier: unknown, options: ImportCallOptions | undefined): Promise<unknown>;
  requireOwn(file: string, requiredBy: string | undefined): unknown;
  /** What `import * as` of an ES module gives. */
  namespaceFor(record: ModuleRecord): object;
  loadCommonJs(record: ModuleRecord): void;
  evaluated(module: EsmModule): void;
  threw(module: EsmModule, error: unknown): void;
  /** What has to know when evaluations begin; absent: nothing. */
  readonly visits?: EvaluationVisits | undefined;
}

/** `__ur`: what compiled code calls. */
export class BodyContext {
  readonly #module: EsmModule;
  readonly #context: EsmContext;
  readonly #evaluator: Evaluator;
  #meta: ImportMeta | undefined;

  constructor(module: EsmModule, context: EsmContext, evaluator: Evaluator) {
    this.#module = module;
    this.#context = context;
    this.#evaluator = evaluator;
  }

  get namespaces(): readonly unknown[] {
    return this.#module.namespaces;
  }

  onRebind(bind: (namespaces: readonly unknown[]) => void): void {
    const module = this.#module;
    module.rebind = () => bind(module.namespaces);
  }

  exports(getters: Record<string, Read>, _stars: readonly number[], hidden?: PrivateBindings): void {
    const module = this.#module;
    module.privateBindings = hidden;
    const isCommonJs = module.prepared.compiled.interop !== "none";
    for (const [name, read] of Object.entries(getters)) {
      module.reads.set(name, isCommonJs ? early(module, read) : name === "default" ? named(module, read) : read);
    }
    // An attempt that is over (rolled back, purged) must not take the file's namespace.
    if (module.record.version === module) module.record.namespace.bind(module.reads);
  }

  class<T>(target: T, reader?: PrivateReader): T {
    return this.#context.classes.define(this.#module.edges, target, reader);
  }

  awaits(id: number): void {
    this.#module.awaiting = id;
  }

  dependencies(): boolean {
    return this.#evaluator.dependencies(this.#module);
  }

  /** The namespace of import `k` as a value: its names may be looked at, so those count as read. */
  namespace(k: number): unknown {
    const module = this.#module;
    const target = module.imports[k];
    const { observer, linker, requireOwn } = this.#context;
    const { interop } = module.prepared.compiled;
    if (target?.type === "own") {
      if (observer.active) for (const key of linker.nameSources(target.record.key)) observer.read(fileOfKey(key));
      const { version } = target.record;
      const isEsm = version?.kind === "esm" && !version.commonJs;
      if (interop === "none") return this.#context.namespaceFor(target.record);
      if (isEsm) return target.record.namespace.object;
      return interopStar(requireOwn(target.record.file, undefined), interop);
    }
    const bindings = module.namespaces[k];
    if (interop !== "esModule" || !isObject(bindings) || Reflect.get(bindings, "__esModule")) return bindings;
    return interopStar(Reflect.get(bindings, "default"), interop);
  }

  /** `__urS`, in a module whose functions have cells. */
  get swaps(): SwapTable {
    const module = this.#module;
    module.swaps ??= new VersionSwaps(this.#context.watch);
    return module.swaps.table;
  }

  /** For main, which looks at the stack of a thread that is blocked. */
  get isPurged(): boolean {
    return this.#module.edges.purged;
  }

  get meta(): ImportMeta {
    const module = this.#module;
    const { file, url } = module.record;
    const { entry, resolve, importMetaHot, lookups } = this.#context;
    this.#meta ??= createImportMeta({
      file,
      url,
      isEntry: module.record.key === entry,
      resolve: (specifier) => {
        let found: Resolution | undefined;
        try {
          found = resolve(specifier, file, "import");
          return found;
        } finally {
          lookups.imported(specifier, file, found?.type === "file" ? found.file : undefined);
        }
      },
      // A module that does not mention it has what it has under Node.
      ...(importMetaHot && /\bhot\b/.test(module.prepared.compiled.source) && { hot: () => importMetaHot(module) }),
    });
    return this.#meta;
  }

  import(specifier: unknown, options?: ImportCallOptions): Promise<unknown> {
    return this.#context.importFrom(this.#module.edges, specifier, options);
  }
}

/** In CommonJS an export is undefined until it is set, which in a cycle of imports somebody may see. */
function early(module: EsmModule, read: Read): Read {
  return () => {
    try {
      return read();
    } catch (error) {
      if (error instanceof ReferenceError && module.state !== "evaluated") return undefined;
      throw error;
    }
  };
}

/** The value of an `export default` has no name in the text that the user wrote: the error of an early read shall not have ours. */
function named(module: EsmModule, read: Read): Read {
  return () => {
    if (module.state === "evaluated") return read();
    try {
      return read();
    } catch (error) {
      if (error instanceof ReferenceError) error.message = error.message.replace(DEFAULT, "default");
      throw error;
    }
  };
}
