/** Evaluates ES modules: gives their bodies what compiled code expects (`__ur`), and other modules their exports. */
import type Module from "node:module";
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import { createModule } from "../../src/common/node-lookup.js";
import { enumerableNames, isObject, isProxy, ownValue } from "../../src/common/untouched.js";
import { commonJsReads, interopView, passesOn, readOrUndefined } from "./commonjs-exports.js";
import { defineExports, importedView, readsThrough } from "./commonjs-view.js";
import { BodyContext, type EsmContext } from "./esm-body.js";
import { Evaluator } from "./evaluation.js";
import { missingCommonJsExport, missingExport } from "./module-errors.js";
import { moduleInternals } from "./module-internals.js";
import type { EsmModule, ImportTarget, ModuleRecord } from "./module-record.js";
import { Namespace, type Read } from "./namespace.js";
import type { AskedBy } from "./native-modules.js";

type EsmBody = (ur: BodyContext) => unknown;
type EsmBodyInCommonJs = (
  exports: unknown,
  require: NodeJS.Require,
  module: Module,
  filename: string,
  dirname: string,
) => EsmBody;

export class EsmLoader {
  readonly #context: EsmContext;
  readonly #evaluator: Evaluator;
  /** Modules that are asynchronous and under way; each until it is evaluated or has failed. */
  readonly #pending = new Set<EsmModule>();

  constructor(context: EsmContext) {
    this.#context = context;
    const { observer, linker } = context;
    this.#evaluator = new Evaluator({
      start: (module) => this.#start(module),
      dependency: (module, k) => this.#dependency(module, k),
      dependenciesVisited: (module) => {
        linker.dependenciesVisited(module);
        context.visits?.bodyBegins(module.record.file);
      },
      attribute: (module, run) => observer.evaluate(module.edges, run),
      attributePending: (module) => {
        const end = observer.beginPending(module.hasTopLevelAwait ? module.edges : undefined);
        this.#pending.add(module);
        return () => {
          this.#pending.delete(module);
          end();
        };
      },
      evaluated: (module) => this.#evaluated(module),
      threw: context.threw,
    });
  }

  /** Evaluates a linked module. Throws NativeIsAsync when it has to be linked again first. */
  evaluate(module: EsmModule): Promise<void> | undefined {
    return this.#evaluator.evaluate(module);
  }

  /**
   * Modules whose evaluation waits for something that is no module of ours, newest first: a top-level await, or a package
   * that has one.
   */
  waiting(): EsmModule[] {
    const leaves = [...this.#pending].filter(({ pending, awaiting }) => pending === 0 && awaiting !== undefined);
    const all = leaves.length > 0 ? leaves : [...this.#pending];
    return all.sort((a, b) => b.order - a.order);
  }

  discard(module: EsmModule): void {
    this.#evaluator.discard(module);
  }

  /** What `require()` gives for an evaluated ES module. */
  required(record: ModuleRecord): unknown {
    if (record.version?.kind === "esm" && record.version.prepared.compiled.interop !== "none") {
      return record.module?.exports;
    }
    const { namespace } = record;
    if (namespace.has("module.exports")) return Reflect.get(namespace.object, "module.exports");
    if (!namespace.has("default") || namespace.has("__esModule")) return namespace.object;
    const view = record.requiredView ?? new Namespace(record.file, this.#context.observer);
    record.requiredView = view;
    this.updateViews(record);
    return view.object;
  }

  /** An ES module that was required is in `require.cache`. What is done to it there changes nothing but that. */
  cacheRequired(record: ModuleRecord): void {
    const module = createModule(record.file);
    module.loaded = true;
    module.exports = this.required(record);
    record.cached = module;
    moduleInternals._cache[record.file] = module;
  }

  /** The names of a file are others now. */
  updateViews(record: ModuleRecord): void {
    const { requiredView, importedView: imported, namespace, module } = record;
    requiredView?.replace(new Map([...readsThrough(namespace), ["__esModule", () => true]]));
    if (imported) importedView(record, this.#context.observer);
    if (module) defineExports(record, ownValue(module, "exports"));
  }

  /** The namespace that an ES module gets of a file, or `importer` by `import()`. */
  namespaceFor(record: ModuleRecord, importer?: ModuleRecord): object {
    const { interop = "none" } = (record.version?.prepared ?? record.prepared)?.compiled ?? {};
    const isRequired = importer?.version?.prepared.compiled.importsByRequire === true;
    if (interop === "none" || isRequired) return record.namespace.object;
    return (record.importedView ?? importedView(record, this.#context.observer)).object;
  }

  /** What the body of `importer` reads imported bindings from; undefined until a native module is loaded. */
  bindingsOf(target: ImportTarget, importer: PreparedModule): unknown {
    if (target.type === "native") return undefined;
    const { record } = target;
    const { interop } = importer.compiled;
    if (interop === "none") return this.namespaceFor(record);
    const { format } = (record.version?.prepared ?? record.prepared)?.compiled ?? {};
    if (format === "esm") return record.namespace.object;
    let view = record.interopViews.get(interop);
    if (!view) {
      const { requireOwn, looking } = this.#context;
      view = interopView(() => requireOwn(record.file, undefined), interop, looking);
      record.interopViews.set(interop, view);
    }
    return view;
  }

  /** Lets the imports of an evaluated module lead elsewhere; its text may be another one with the same code. */
  relink(module: EsmModule, prepared: PreparedModule): void {
    const { linker } = this.#context;
    const loaded = module.namespaces;
    const before = module.imports;
    module.prepared = prepared;
    linker.bindImports(module, prepared);
    for (const [k, target] of module.imports.entries()) {
      const old = before[k];
      if (target.type !== "native") continue;
      module.namespaces[k] =
        old?.type === "native" && JSON.stringify(old) === JSON.stringify(target)
          ? loaded[k]
          : this.#nativeBindings(module, target, k);
    }
    module.rebind?.();
    linker.installNames(module);
  }

  #start(module: EsmModule): unknown {
    const { record, prepared, form } = module;
    this.#context.visits?.visiting(record.file, true);
    const context = new BodyContext(module, this.#context, this.#evaluator);
    module.scope = context;
    let body = this.#context.scripts.compileEsm(prepared, record.url, form);
    if (prepared.compiled.interop !== "none") {
      const own = this.#commonJsNames(record);
      body = (body as EsmBodyInCommonJs)(own.exports, own.require as NodeJS.Require, own, record.file, own.path);
    }
    const result = (body as EsmBody)(context);
    if (form === "plain") return undefined;
    const steps = result as Generator | AsyncGenerator;
    const first = steps.next();
    module.resume = () => steps.next();
    return first;
  }

  /** `module` of TypeScript with import syntax in a CommonJS package. Its exports are the namespace, marked. */
  #commonJsNames(record: ModuleRecord): Module {
    const module = this.#context.commonJs.moduleOf(record, undefined);
    const exports = Object.defineProperty({}, "__esModule", { value: true });
    module.exports = exports;
    defineExports(record, exports);
    moduleInternals._cache[record.file] = module;
    return module;
  }

  #evaluated(module: EsmModule): void {
    this.#adoptCommonJsExports(module);
    this.#context.evaluated(module);
  }

  /** `export =`, `module.exports =` and `exports.name =` beside import syntax. */
  #adoptCommonJsExports(module: EsmModule): void {
    const { record, prepared } = module;
    if (prepared.compiled.interop === "none" || !record.module) return;
    record.module.loaded = true;
    const exports: unknown = record.module.exports;
    const isMarked = isObject(exports) && ownValue(exports, "__esModule") === true;
    const reads = isMarked ? extraReads(exports, record.namespace) : commonJsReads(exports, this.#context.looking);
    if (reads.size === 0) return;
    module.commonJs = { reads };
    this.#context.linker.installNames(module);
  }

  #dependency(module: EsmModule, k: number): EsmModule | Promise<void> | undefined {
    const { natives, linker, loadCommonJs } = this.#context;
    const target = module.imports[k];
    if (!target) return undefined;
    if (target.type === "own") {
      const { record } = target;
      const prepared = record.version?.prepared ?? record.prepared;
      if (prepared?.compiled.format === "esm") {
        return record.version?.kind === "esm" ? record.version : linker.link(record);
      }
      loadCommonJs(record);
      const { names = [] } = module.prepared.compiled.imports[k] ?? {};
      if (module.prepared.compiled.interop === "none") this.readAsNode(record, names);
      this.#checkCommonJsNames(module, k, record);
      return undefined;
    }
    const isImport = module.prepared.compiled.interop === "none";
    if (isImport && natives.isAsync(target.target, target.attributes)) {
      return natives.namespaceLater(target.target, target.attributes, askedBy(module, k)).then((namespace) => {
        this.#arrived(module, k, namespace);
      });
    }
    this.#arrived(module, k, this.#nativeBindings(module, target, k));
    return undefined;
  }

  /** A native module is there: lets the body read it. */
  #arrived(module: EsmModule, k: number, bindings: unknown): void {
    module.namespaces[k] = bindings;
    module.rebind?.();
    const { compiled } = module.prepared;
    const record = compiled.imports[k];
    if (!record || compiled.interop !== "none") return;
    for (const name of record.names) {
      if (isObject(bindings) && name in bindings) continue;
      const isCommonJs = isObject(bindings) && this.#isNativeCommonJs(module.imports[k]);
      const error = isCommonJs
        ? missingCommonJsExport(record.specifier, name, compiled.source)
        : missingExport(record.specifier, name);
      throw this.#context.linkFailed(error, module.prepared, record.specifier, name);
    }
  }

  #isNativeCommonJs(target: ImportTarget | undefined): boolean {
    if (target?.type !== "native" || target.target.type !== "native") return false;
    return moduleInternals._cache[target.target.file] !== undefined;
  }

  #nativeBindings(module: EsmModule, { target, attributes }: ImportTarget & { type: "native" }, k: number): unknown {
    const { natives } = this.#context;
    const { interop } = module.prepared.compiled;
    if (interop === "none") return natives.namespace(target, attributes, askedBy(module, k));
    const exports = natives.require(module.record.file, target, { isStatic: true });
    if (!isObject(exports)) return interopView(() => exports, interop);
    if (interop === "callable" || Reflect.get(exports, "__esModule")) return exports;
    // Reads of names go through to `module.exports`, live; only the default differs.
    return Object.create(exports, { default: { value: exports } });
  }

  /**
   * An ES module imports a CommonJS file. Node gives it values of now: of what the text of the file names as an export.
   * Here, what a getter passes on from somewhere else, and what is imported by its name. Reading is a part of the file's
   * evaluation. What has another getter stays as it is, and so may stay unread.
   */
  readAsNode({ version, module, namespace }: ModuleRecord, imported: readonly string[] = []): void {
    if (version?.kind !== "commonjs" || version.state !== "evaluated" || !module) return;
    const exports: unknown = ownValue(module, "exports");
    const { observer, linker, registry } = this.#context;
    const inText = linker.commonJsNames(version.record);
    version.record.isImported = true;
    if (!isObject(exports)) return;
    // In the order in which they were defined, which is that of the text mostly.
    const names = enumerableNames(exports).filter(
      (name) => namespace.runs(name) && (imported.includes(name) || passesOn(exports, name)),
    );
    const { source } = version.prepared.compiled;
    if (isProxy(exports)) {
      names.push(...imported.filter((name) => !namespace.has(name) && mentionsExport(source, name)));
    }
    const reads = namespace.snapshot();
    const before = reads.size;
    if (inText) {
      for (const name of reads.keys()) if (!inText.has(name) && !WHOLE.has(name)) reads.delete(name);
      names.push(...[...inText].filter((name) => !reads.has(name) && !names.includes(name) && !WHOLE.has(name)));
    }
    if (names.length === 0 && reads.size === before) return;
    observer.evaluate(version.edges, () => {
      for (const name of names) {
        const value = readOrUndefined(exports, name);
        reads.set(name, () => value);
      }
    });
    registry.touch(version.record);
    namespace.replace(reads);
    linker.namesChanged(version.record);
  }

  /** Names that the file does not even mention: Node, which looks at the text, would refuse them. */
  #checkCommonJsNames(module: EsmModule, k: number, record: ModuleRecord): void {
    const { compiled } = module.prepared;
    const imported = compiled.imports[k];
    const target = record.version;
    if (!imported || compiled.interop !== "none" || target?.state !== "evaluated") return;
    for (const name of imported.names) {
      if (record.namespace.has(name) || mentionsExport(target.prepared.compiled.source, name)) continue;
      const error = missingCommonJsExport(imported.specifier, name, compiled.source);
      throw this.#context.linkFailed(error, module.prepared, imported.specifier, name);
    }
  }
}

/** Names for `module.exports` itself. */
const WHOLE: ReadonlySet<string> = new Set(["default", "module.exports"]);

/** What stands in the text for import `k`. */
function askedBy({ prepared, record }: EsmModule, k: number): AskedBy | undefined {
  const specifier = prepared.compiled.imports[k]?.specifier;
  return specifier === undefined ? undefined : { specifier, importer: record.file };
}

/** Properties that the code has put on `exports` itself. */
function extraReads(exports: object, namespace: Namespace): Map<string, Read> {
  const extra = Object.keys(exports).filter((name) => !namespace.has(name));
  return new Map(extra.map((name) => [name, () => Reflect.get(exports, name)]));
}

function mentionsExport(source: string, name: string): boolean {
  return (
    source.includes(`exports.${name}`) ||
    source.includes(`exports[${JSON.stringify(name)}]`) ||
    source.includes(`exports['${name}']`)
  );
}
