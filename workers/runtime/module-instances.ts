/**
 * The modules of files that were imported with a query or a fragment: one for each, as in Node. An app may make up any
 * number of them (`?t=` and the time), so the newest of a file are kept, and an older one as long as somebody has hold of
 * it, or it has created what a reload would undo.
 */
import type { ModuleRecord } from "./module-record.js";

export interface ModuleInstancesOptions {
  create(file: string, search: string): ModuleRecord;
  /** It may be let go: nothing would have to be undone for it. */
  isIdle(record: ModuleRecord): boolean;
  /** Nobody need know it any more but those who have hold of it. */
  letGo(record: ModuleRecord): void;
}

/** Modules of one file that are kept, used or not. */
const KEPT = 16;

export class ModuleInstances {
  readonly #options: ModuleInstancesOptions;
  /** File to query to module, the newest last. An entry dies with its file, or when it is one too many. */
  readonly #kept = new Map<string, Map<string, ModuleRecord>>();
  /** The same for those that are not kept. */
  readonly #loose = new Map<string, Map<string, WeakRef<ModuleRecord>>>();
  readonly #collected = new FinalizationRegistry<{ readonly file: string; readonly search: string }>(
    ({ file, search }) => {
      const loose = this.#loose.get(file);
      if (loose?.get(search)?.deref() === undefined) loose?.delete(search);
      if (loose?.size === 0) this.#loose.delete(file);
    },
  );

  constructor(options: ModuleInstancesOptions) {
    this.#options = options;
  }

  find(file: string, search: string): ModuleRecord | undefined {
    return this.#kept.get(file)?.get(search) ?? this.#loose.get(file)?.get(search)?.deref();
  }

  record(file: string, search: string): ModuleRecord {
    const record = this.find(file, search) ?? this.#options.create(file, search);
    const kept = this.#kept.get(file) ?? new Map<string, ModuleRecord>();
    this.#kept.set(file, kept);
    kept.delete(search);
    kept.set(search, record);
    this.#loose.get(file)?.delete(search);
    if (kept.size > KEPT) this.#letGoOldest(file, kept);
    return record;
  }

  /** Those of one file that are kept, oldest first. */
  keptOf(file: string): ModuleRecord[] {
    return [...(this.#kept.get(file)?.values() ?? [])];
  }

  /** All of one file that anybody can have hold of. */
  of(file: string): ModuleRecord[] {
    const loose = [...(this.#loose.get(file)?.values() ?? [])].flatMap((one) => one.deref() ?? []);
    return [...loose, ...this.keptOf(file)];
  }

  *all(): Iterable<ModuleRecord> {
    for (const file of new Set([...this.#kept.keys(), ...this.#loose.keys()])) yield* this.of(file);
  }

  /** The file has gone. */
  forget(file: string): void {
    this.#kept.delete(file);
    this.#loose.delete(file);
  }

  #letGoOldest(file: string, kept: Map<string, ModuleRecord>): void {
    for (const [search, record] of kept) {
      if (kept.size <= KEPT) return;
      if (!this.#options.isIdle(record)) continue;
      kept.delete(search);
      const loose = this.#loose.get(file) ?? new Map<string, WeakRef<ModuleRecord>>();
      this.#loose.set(file, loose.set(search, new WeakRef(record)));
      this.#collected.register(record, { file, search });
      this.#options.letGo(record);
    }
  }
}
