/** What modules want to have done before they are replaced: their dispose hooks, run in reverse order of registration. */
import { HOOK_MS } from "../../src/common/deadlines.js";
import { withDeadline } from "../../src/common/wait.js";
import type { ModuleEdges, Observer } from "../runtime/observer.js";
import type { Waits } from "../waits.js";

export interface DisposeHook {
  /** Undefined: no module's, but the thread's. */
  readonly version: ModuleEdges | undefined;
  readonly run: () => unknown;
}

export interface DisposeHooksOptions {
  readonly observer: Observer;
  /** Knows what is waited for; absent: nobody asks. */
  readonly waits?: Waits | undefined;
  /** A hook threw, or took too long. `file` is undefined for the thread's own hooks. */
  failed(file: string | undefined, error: unknown): void;
}

export class DisposeHooks {
  readonly #options: DisposeHooksOptions;
  /** In order of registration; a hook goes when it runs, or is removed. */
  readonly #hooks = new Set<DisposeHook>();

  constructor(options: DisposeHooksOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#hooks.size;
  }

  /** The hook of what is left of a purged version runs at once. */
  add(version: ModuleEdges | undefined, run: () => unknown): DisposeHook {
    const hook = { version, run };
    if (version?.purged) void this.#run(hook, HOOK_MS);
    else this.#hooks.add(hook);
    return hook;
  }

  remove(hook: DisposeHook): void {
    this.#hooks.delete(hook);
  }

  /** Runs the hooks of one version. A promise only when there are any; it never rejects. */
  dispose(version: ModuleEdges): false | Promise<true> {
    const hooks = this.#take((hook) => hook.version === version);
    return hooks.length > 0 && this.#runAll(hooks, () => HOOK_MS).then(() => true);
  }

  /** Runs the hooks of certain versions, newest first. */
  disposeWhere(isMeant: (version: ModuleEdges) => boolean): Promise<void> {
    const hooks = this.#take(({ version }) => version !== undefined && isMeant(version));
    return this.#runAll(hooks, () => HOOK_MS);
  }

  /** Runs all hooks. When the time is over, those that are left are still started. */
  disposeAll(remainingMs: () => number): Promise<void> {
    return this.#runAll(
      this.#take(() => true),
      remainingMs,
    );
  }

  /** Newest first. */
  #take(isMeant: (hook: DisposeHook) => boolean): DisposeHook[] {
    const taken = [...this.#hooks].filter(isMeant).reverse();
    for (const hook of taken) this.#hooks.delete(hook);
    return taken;
  }

  async #runAll(hooks: readonly DisposeHook[], remainingMs: () => number): Promise<void> {
    for (const hook of hooks) await this.#run(hook, remainingMs());
  }

  async #run({ version, run }: DisposeHook, deadlineMs: number): Promise<void> {
    const { observer, failed, waits } = this.#options;
    try {
      const pending = observer.outside(run);
      if (!isThenable(pending)) return;
      const done = withDeadline(Promise.resolve(pending), deadlineMs);
      await (waits?.during("a dispose hook", version?.file, done) ?? done);
    } catch (error) {
      failed(version?.file, error);
    }
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
