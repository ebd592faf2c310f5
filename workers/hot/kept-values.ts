/** Values that outlive the modules that use them: `unreloader.keep()`. */
import { HOOK_MS } from "../../src/common/deadlines.js";
import type { MaybePromise } from "../../src/common/protocol/app-host.js";
import { withDeadline } from "../../src/common/wait.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { ModuleVersion } from "../runtime/module-record.js";
import type { Observer } from "../runtime/observer.js";
import type { Waits } from "../waits.js";

interface KeptValue {
  readonly key: string;
  readonly value: Promise<unknown>;
  close: () => Promise<void>;
  /** File whose evaluation had it created; undefined: none, a request. */
  readonly factory: string | undefined;
  /** File -> its version that asked for the value last. */
  readonly users: Map<string, ModuleEdges>;
  /** A request has asked for it: it stays to the end of the thread. */
  usedByRequests: boolean;
}

export interface KeptValuesOptions {
  readonly observer: Observer;
  /** Knows what is waited for; absent: nobody asks. */
  readonly waits?: Waits | undefined;
  /** The version of a file that is loaded; undefined: none. */
  currentVersion(file: string): ModuleEdges | undefined;
  failed(file: string | undefined, key: string, error: unknown): void;
}

export class KeptValues {
  readonly #options: KeptValuesOptions;
  /** Key -> value, in order of creation. An entry dies when its creation fails and when the value is closed. */
  readonly #kept = new Map<string, KeptValue>();

  constructor(options: KeptValuesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#kept.size;
  }

  keep<Value>(
    key: string,
    create: () => MaybePromise<Value>,
    close: ((value: Value) => unknown) | undefined,
  ): Promise<Value> {
    const user = this.#options.observer.owner;
    const known = this.#kept.get(key);
    // The function of the version that has gone would keep all of that version.
    if (known && user?.file === known.factory) known.close = closing(known.value as Promise<Value>, close);
    const kept = known ?? this.#create(key, create, close, user?.file);
    if (user) kept.users.set(user.file, user);
    else kept.usedByRequests = true;
    return kept.value as Promise<Value>;
  }

  /** Closes what a module had created whose text is another now. Returns whether there was anything. */
  closeOf({ record, prepared }: ModuleVersion): false | Promise<true> {
    if (record.prepared?.compiled.hash === prepared.compiled.hash) return false;
    const created = [...this.#kept.values()].filter(({ factory }) => factory === record.file);
    return created.length > 0 && this.#closeAll(created, () => HOOK_MS).then(() => true);
  }

  /**
   * Closes what nobody keeps any more: `gone` files do not, nor do those whose present version has not asked. (An
   * evaluation may ask late, in what it leaves to continue: it has time until the next reload begins.)
   */
  async closeUnused(gone: Iterable<string> = []): Promise<void> {
    for (const { users } of this.#kept.values()) {
      for (const file of gone) users.delete(file);
      for (const [file, version] of users) {
        const current = this.#options.currentVersion(file);
        if (current && current !== version) users.delete(file);
      }
    }
    const unused = [...this.#kept.values()].filter(({ users, usedByRequests }) => users.size === 0 && !usedByRequests);
    if (unused.length > 0) await this.#closeAll(unused, () => HOOK_MS);
  }

  async closeEverything(remainingMs: () => number): Promise<void> {
    await this.#closeAll([...this.#kept.values()], remainingMs);
  }

  #create<Value>(
    key: string,
    create: () => MaybePromise<Value>,
    close: ((value: Value) => unknown) | undefined,
    factory: string | undefined,
  ): KeptValue {
    // What the factory creates belongs to no module, or the next purge would undo it.
    const value = new Promise<Value>((resolve) => resolve(this.#options.observer.outside(create)));
    const kept: KeptValue = {
      key,
      value,
      close: closing(value, close),
      factory,
      users: new Map(),
      usedByRequests: false,
    };
    this.#kept.set(key, kept);
    value.catch(() => this.#forget(kept));
    return kept;
  }

  #forget(kept: KeptValue): void {
    if (this.#kept.get(kept.key) === kept) this.#kept.delete(kept.key);
  }

  /** Newest first, one after the other. */
  async #closeAll(values: readonly KeptValue[], remainingMs: () => number): Promise<void> {
    const { observer, failed, waits } = this.#options;
    for (const kept of values.toReversed()) {
      this.#forget(kept);
      try {
        const done = withDeadline(observer.outside(kept.close), remainingMs());
        const what = `closing what is kept as ${JSON.stringify(kept.key)}`;
        await (waits?.during(what, kept.factory, done) ?? done);
      } catch (error) {
        failed(kept.factory, kept.key, error);
      }
    }
  }
}

function closing<Value>(value: Promise<Value>, close: ((value: Value) => unknown) | undefined): () => Promise<void> {
  return async () => void (await close?.(await value));
}
