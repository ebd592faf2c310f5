/**
 * What each module version has created: timers, listeners, servers, registrations in libraries. A purge undoes it, newest
 * first, so that the process is as if the version had never run.
 */
import { types } from "node:util";
import { HOOK_MS } from "../../src/common/deadlines.js";
import { isObject } from "../../src/common/untouched.js";
import { withDeadline } from "../../src/common/wait.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import type { Waits } from "../waits.js";
import { resultsOf } from "../written/scope-lists.js";

export interface LedgerEntry {
  /** In words, for messages: `listener of "exit" on process`. */
  readonly what: string;
  /** The resource has ended by itself. */
  drop(): void;
}

interface Undoable extends LedgerEntry {
  /** Gone once it was run or dropped: who still has the entry must not keep what it would undo. */
  undo: (() => void | Promise<void>) | undefined;
  readonly isWhole: boolean;
  /** What is no good any more when it is undone. */
  readonly ended: WeakRef<object> | undefined;
}

export interface LedgerOptions {
  readonly observer: Observer;
  /** Knows what is waited for; absent: nobody asks. */
  readonly waits?: Waits | undefined;
  /** An undo threw, or took too long. */
  failed(file: string, what: string, error: unknown): void;
  /** How long one undo may take, in milliseconds; `HOOK_MS` unless given. */
  readonly deadlineMs?: number;
}

export class Ledger {
  readonly #options: LedgerOptions;
  /** Version to what it has created and not been undone, in order of creation; an entry goes when its set is undone. */
  readonly #entries = new Map<ModuleEdges, Set<Undoable>>();
  /** Object to its number in the names of what is shared; dies with the object. */
  readonly #numbers = new WeakMap<object, number>();
  #count = 0;
  #onRecord: ((owner: ModuleEdges) => void) | undefined;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** The version to which what is created now belongs, purged ones included. */
  get owner(): ModuleEdges | undefined {
    return this.#options.observer.owner;
  }

  /** Runs what is nobody's: the ledger's own work, and that of adapters. */
  outside<Result>(run: () => Result): Result {
    return this.#options.observer.outside(run);
  }

  /**
   * Notes that the module under evaluation has created something. Without one nothing is noted. What the leftovers of a
   * purged version create is undone at once. `ended`: what is no good any more when it is undone.
   */
  record(what: string, undo: () => void | Promise<void>, owner = this.owner, ended?: object): LedgerEntry | undefined {
    return this.#record({ what, undo, isWhole: false, ended: ended && new WeakRef(ended) }, owner);
  }

  /**
   * As `record`, for something that consists of others and closes them itself (a client with sockets, timers, listeners):
   * it is undone before them, while they still work.
   */
  recordWhole(what: string, undo: () => void | Promise<void>, ended?: object): LedgerEntry | undefined {
    return this.#record({ what, undo, isWhole: true, ended: ended && new WeakRef(ended) }, this.owner);
  }

  /** Notes that the version has set a part of an object, or added to it, as others may: then their order shows. */
  shares(owner: ModuleEdges, how: "sets" | "registers", object: object, part: string): void {
    const number = this.#numbers.get(object) ?? ++this.#count;
    this.#numbers.set(object, number);
    owner.shares(how, `${part} (${number})`);
  }

  /** What the purge of the version would end, and promises of it. */
  endedWith(version: ModuleEdges): object[] {
    const ended = [...(this.#entries.get(version) ?? [])].flatMap((entry) => entry.ended?.deref() ?? []);
    const promises = ended.filter((each) => types.isPromise(each));
    return promises.length === 0 ? ended : [...ended, ...resultsOf(promises).filter(isObject)];
  }

  #record(noted: Omit<Undoable, "drop">, owner: ModuleEdges | undefined): LedgerEntry | undefined {
    if (!owner) return undefined;
    this.#onRecord?.(owner);
    const entries = this.#entriesOf(owner);
    const entry: Undoable = {
      ...noted,
      drop() {
        entries.delete(entry);
        entry.undo = undefined;
      },
    };
    if (owner.purged) void this.#undoOne(owner, entry);
    else entries.add(entry);
    return entry;
  }

  /** Tells of every `record` with an owner until the returned function is called. One at a time. */
  watchRecords(onRecord: (owner: ModuleEdges) => void): () => void {
    this.#onRecord = onRecord;
    return () => {
      if (this.#onRecord === onRecord) this.#onRecord = undefined;
    };
  }

  /** Whether the version has anything that a purge would undo. */
  holds(version: ModuleEdges): boolean {
    return (this.#entries.get(version)?.size ?? 0) > 0;
  }

  /** What the version has created and not ended, oldest first. */
  list(version: ModuleEdges): string[] {
    return [...(this.#entries.get(version) ?? [])].map(({ what }) => what);
  }

  /** The same of all versions that are current, by their files. */
  listAll(): { file: string; what: string[] }[] {
    return [...this.#entries.keys()].map((version) => ({ file: version.file, what: this.list(version) }));
  }

  /** Undoes all that the version has created, wholes before parts, newest first, one after the other. Returns whether there was anything. */
  async undo(version: ModuleEdges): Promise<boolean> {
    const entries = this.#entries.get(version);
    this.#entries.delete(version);
    if (!entries || entries.size === 0) return false;
    const newestFirst = [...entries].reverse();
    const wholes = newestFirst.filter(({ isWhole }) => isWhole);
    for (const entry of [...wholes, ...newestFirst.filter(({ isWhole }) => !isWhole)]) {
      if (!entries.has(entry)) continue;
      const pending = this.#undoOne(version, entry);
      if (pending) await pending;
    }
    entries.clear();
    return true;
  }

  /** Undoes what certain versions have created. */
  async undoWhere(isMeant: (version: ModuleEdges) => boolean): Promise<void> {
    for (const version of [...this.#entries.keys()].reverse()) if (isMeant(version)) await this.undo(version);
  }

  #entriesOf(owner: ModuleEdges): Set<Undoable> {
    let entries = this.#entries.get(owner);
    if (!entries) {
      entries = new Set();
      if (!owner.purged) this.#entries.set(owner, entries);
    }
    return entries;
  }

  /** A promise only when the undo takes time. */
  #undoOne({ file }: ModuleEdges, entry: Undoable): Promise<void> | undefined {
    const { what, undo } = entry;
    entry.undo = undefined;
    if (!undo) return undefined;
    const { deadlineMs = HOOK_MS, waits } = this.#options;
    const failed = (error: unknown) => this.#options.failed(file, what, error);
    try {
      const pending = this.outside(undo);
      if (!types.isPromise(pending)) return undefined;
      const done = withDeadline(pending, deadlineMs).catch(failed);
      return waits ? waits.during(`the end of ${what}`, file, done) : done;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }
}
