/** Every own file the runtime has met, and the way back to how things were when a plan began. */
import type Module from "node:module";
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import type { ModuleEdges } from "./module-edges.js";
import { ModuleInstances, type ModuleInstancesOptions } from "./module-instances.js";
import { fileOfKey, ModuleRecord, type ModuleVersion } from "./module-record.js";
import { Namespace, type Read } from "./namespace.js";
import type { Observer } from "./observer.js";

interface Saved {
  readonly prepared: PreparedModule | undefined;
  readonly version: ModuleVersion | undefined;
  readonly reads: ReadonlyMap<string, Read>;
  readonly requiredBy: string | Module | undefined;
  readonly module:
    | {
        readonly exports: unknown;
        readonly loaded: boolean;
        readonly children: readonly Module[];
        readonly cached: unknown;
      }
    | undefined;
}

export interface RegistryOptions {
  readonly observer: Observer;
  /** Whether what runs now is no part of the plan under way: it goes on with the versions that there were. */
  readonly isOutsider: () => boolean;
  readonly moduleCache: NodeJS.Dict<NodeJS.Module>;
  readonly instances: Omit<ModuleInstancesOptions, "create">;
}

export class Registry {
  /** File to its record; dies in `letGo`. */
  readonly #records = new Map<string, ModuleRecord>();
  /** Files that have gone to their records: a namespace that somebody still has follows the file if it comes back. */
  readonly #letGo = new Map<string, WeakRef<ModuleRecord>>();
  readonly #collected = new FinalizationRegistry<string>((file) => {
    if (this.#letGo.get(file)?.deref() === undefined) this.#letGo.delete(file);
  });
  readonly #observer: Observer;
  readonly #moduleCache: NodeJS.Dict<NodeJS.Module>;
  readonly #isOutsider: () => boolean;
  readonly #instances: ModuleInstances;
  /** While a plan is applied: what to go back to. */
  #saved: Map<ModuleRecord, Saved> | undefined;

  constructor({ observer, isOutsider, moduleCache, instances }: RegistryOptions) {
    this.#observer = observer;
    this.#isOutsider = isOutsider;
    this.#moduleCache = moduleCache;
    this.#instances = new ModuleInstances({
      ...instances,
      create: (file, search) => this.#create(file, search),
      isIdle: (record) => !this.#saved && record.version?.state === "evaluated" && instances.isIdle(record),
    });
  }

  /** By a file, or by the key of a module. */
  find(key: string): ModuleRecord | undefined {
    const file = fileOfKey(key);
    if (file !== key) return this.#instances.find(file, key.slice(file.length + 1));
    return this.#records.get(file) ?? (this.#letGo.size > 0 ? this.#returned(file) : undefined);
  }

  /** The version that is current: evaluated, or being evaluated. Of a file that is imported with queries only, the newest of these. */
  version(key: string): ModuleVersion | undefined {
    const version = this.find(key)?.version;
    if (version || fileOfKey(key) !== key) return version;
    return this.#instances.keptOf(key).findLast((record) => record.version)?.version;
  }

  /** Gives every module of a file, of which there is at least one, this code; returns them. */
  prepare(prepared: PreparedModule): ModuleRecord[] {
    const { file } = prepared.compiled;
    this.record(file);
    const records = this.recordsOf(file);
    for (const record of records) {
      this.touch(record);
      record.prepared = prepared;
    }
    return records;
  }

  /** Every module of a file: the one that is imported without a query, and those with one. */
  recordsOf(file: string): ModuleRecord[] {
    const record = this.find(file);
    return [...(record ? [record] : []), ...this.#instances.of(file)];
  }

  /** The same without those that are not kept: nobody imports them any more. */
  keptOf(file: string): ModuleRecord[] {
    const record = this.find(file);
    return [...(record ? [record] : []), ...this.#instances.keptOf(file)];
  }

  /** The module of a file that is imported with this query. */
  instance(file: string, search: string): ModuleRecord {
    return this.#instances.record(file, search);
  }

  /** The code that the current version was made from, or else the newest. */
  preparedOf(file: string): PreparedModule | undefined {
    const record = this.find(file);
    return (record?.version ?? record)?.prepared;
  }

  record(file: string): ModuleRecord {
    let record = this.find(file);
    if (!record) {
      record = this.#create(file, "");
      this.#records.set(file, record);
    }
    return record;
  }

  *all(): Iterable<ModuleRecord> {
    yield* this.#records.values();
    yield* this.#instances.all();
  }

  #create(file: string, search: string): ModuleRecord {
    return new ModuleRecord(file, search, new Namespace(file, this.#observer));
  }

  /** The edges of all versions that are current. */
  *versions(): Iterable<ModuleEdges> {
    for (const { version } of this.all()) if (version) yield version.edges;
  }

  /** Nothing leads to the file any more: its record lives as long as somebody has hold of what it has handed out. False: it is in use. */
  letGo(file: string): boolean {
    const record = this.#records.get(file);
    if (!record || this.#saved) return false;
    if (this.recordsOf(file).some(({ version, bridges }) => version || bridges.size > 0)) return false;
    this.#instances.forget(file);
    this.#records.delete(file);
    this.#letGo.set(file, new WeakRef(record));
    this.#collected.register(record, file);
    return true;
  }

  #returned(file: string): ModuleRecord | undefined {
    const record = this.#letGo.get(file)?.deref();
    if (!record) return undefined;
    this.#letGo.delete(file);
    this.#records.set(file, record);
    return record;
  }

  /**
   * For who is no part of the plan under way, of a file whose evaluated version that replaces: what `module.exports` was.
   * Undefined for everybody and everything else.
   */
  before(record: ModuleRecord): { readonly exports: unknown } | undefined {
    const { version, module } = this.#saved?.get(record) ?? {};
    if (!hasExports(version) || version === record.version || !this.#isOutsider()) return undefined;
    return { exports: module?.exports };
  }

  /** To be called before anything of a record changes. */
  touch(record: ModuleRecord): void {
    if (!this.#saved || this.#saved.has(record)) return;
    const { module } = record;
    if (hasExports(record.version)) record.namespace.keepFor(this.#isOutsider);
    this.#saved.set(record, {
      prepared: record.prepared,
      version: record.version,
      reads: record.namespace.snapshot(),
      requiredBy: record.requiredBy,
      module: module && {
        exports: module.exports,
        loaded: module.loaded,
        children: [...module.children],
        cached: this.#moduleCache[record.file],
      },
    });
  }

  begin(): void {
    if (this.#saved) throw new Error("a plan is being applied already");
    this.#saved = new Map();
  }

  /** Keeps things as they are now; gives the versions that were replaced. */
  commit(): ModuleVersion[] {
    const replaced: ModuleVersion[] = [];
    for (const [record, { version }] of this.#saved ?? []) {
      record.namespace.keepNoMore();
      if (version && version !== record.version) replaced.push(version);
    }
    this.#saved = undefined;
    return replaced;
  }

  /** Whether a rollback would make this version current again. */
  mayComeBack(record: ModuleRecord, version: ModuleVersion): boolean {
    return this.#saved?.get(record)?.version === version;
  }

  /** Puts back every record that was touched; gives the versions that are dropped by it. */
  rollback(): ModuleVersion[] {
    const dropped: ModuleVersion[] = [];
    for (const [record, saved] of this.#saved ?? []) {
      if (record.version && record.version !== saved.version) dropped.push(record.version);
      record.prepared = saved.prepared;
      record.version = saved.version;
      record.requiredBy = saved.requiredBy;
      record.namespace.keepNoMore();
      record.namespace.replace(saved.reads);
      this.#restoreModule(record, saved);
    }
    this.#saved = undefined;
    return dropped;
  }

  #restoreModule({ file, module }: ModuleRecord, saved: Saved): void {
    if (!module) return;
    if (!saved.module) {
      if (this.#moduleCache[file] === module) delete this.#moduleCache[file];
      return;
    }
    module.exports = saved.module.exports;
    module.loaded = saved.module.loaded;
    module.children.splice(0, module.children.length, ...saved.module.children);
    if (saved.module.cached === undefined) delete this.#moduleCache[file];
    else this.#moduleCache[file] = saved.module.cached as NodeJS.Module;
  }
}

/** It is evaluated, or waits for ever with what it exports in use. */
function hasExports(version: ModuleVersion | undefined): boolean {
  return version?.state === "evaluated" || version?.state === "waiting";
}
