/** The newest code of own files: as main has compiled it, as hooks of Node's loader want it, or compiled here. */
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import { MISSING } from "../../src/common/compile/hash.js";
import type { RuntimeHost } from "./host.js";
import type { LoaderChanges } from "./loader-changes.js";
import { compileFailure, resolveFailure } from "./module-errors.js";
import type { ModuleRecord } from "./module-record.js";
import type { Registry } from "./registry.js";

export interface NewestCodeContext {
  readonly host: RuntimeHost;
  readonly registry: Registry;
  readonly changes: LoaderChanges;
}

export class NewestCode {
  readonly #context: NewestCodeContext;
  /** What was prepared ahead may have been written since by the app itself, which expects to load what it has written. */
  mayBeOutdated = false;
  /** What was prepared by asking the hooks of Node's loader. */
  readonly #hooked = new WeakSet<PreparedModule>();

  constructor(context: NewestCodeContext) {
    this.#context = context;
  }

  /** The newest code of a file, prepared now when nobody has, or when the hooks of Node's loader have not been asked. */
  of(record: ModuleRecord): PreparedModule {
    const { host, registry, changes } = this.#context;
    if (this.mayBeOutdated && record.prepared && !record.version) this.#compareWithDisk(record, record.prepared);
    const isCommonJs = record.prepared?.compiled.format === "commonjs";
    if (!isCommonJs && !changes.hasHooks && changes.handlerDecides(record.file)) return this.#leftToHandler(record);
    if (record.prepared && (!changes.hasHooks || this.#hooked.has(record.prepared))) return record.prepared;
    // A text has one code for all queries.
    const known = record.search === "" ? undefined : registry.find(record.file)?.prepared;
    const prepared = changes.hasHooks ? this.#prepareByHooks(record) : (known ?? this.#prepare(record.file));
    registry.touch(record);
    record.prepared = prepared;
    if (prepared !== known) host.discovered(prepared);
    return prepared;
  }

  /** Lets go of code whose text is another one by now. */
  #compareWithDisk(record: ModuleRecord, { compiled }: PreparedModule): void {
    const { host, registry } = this.#context;
    const hash = host.hashOf?.(record.file);
    if (hash === undefined || hash === MISSING || hash === compiled.hash) return;
    host.forget?.(record.file);
    registry.touch(record);
    record.prepared = undefined;
  }

  /**
   * What the app has registered for the extension (Babel) makes CommonJS of a text that Node takes for an ES module, or not at
   * all: it is not looked at before.
   */
  #leftToHandler(record: ModuleRecord): PreparedModule {
    const { host, registry, changes } = this.#context;
    const resolve = (...asked: Parameters<LoaderChanges["resolve"]>) => changes.resolve(...asked);
    const text = { source: "", format: "commonjs" };
    const prepared = host.prepareAs?.(record.file, { text, resolve }) ?? this.#prepare(record.file);
    registry.touch(record);
    record.prepared = prepared;
    host.discovered(prepared);
    return prepared;
  }

  #prepareByHooks(record: ModuleRecord): PreparedModule {
    const { host, changes } = this.#context;
    const { file } = record;
    if (!host.prepareAs) return this.#prepare(file);
    try {
      const text = changes.load(record);
      const compiled = text ? undefined : record.prepared?.compiled;
      const resolve = (...asked: Parameters<LoaderChanges["resolve"]>) => changes.resolve(...asked);
      const prepared = host.prepareAs(file, { compiled, text, resolve });
      this.#hooked.add(prepared);
      return prepared;
    } catch (error) {
      throw compileFailure(resolveFailure(error));
    }
  }

  #prepare(file: string): PreparedModule {
    try {
      return this.#context.host.prepare(file);
    } catch (error) {
      throw compileFailure(resolveFailure(error));
    }
  }
}
