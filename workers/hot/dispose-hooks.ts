/**
 * What versions of modules have registered for their reloads: dispose hooks, run in reverse order of registration before a
 * version is replaced; and what came by `import.meta.hot` or `module.hot` beside them.
 */
import { HOOK_MS } from "../../src/common/deadlines.js";
import type { ModuleHotStatus } from "../../src/common/protocol/hot-api.js";
import { withDeadline } from "../../src/common/wait.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { ModuleVersion } from "../runtime/module-record.js";
import type { Observer } from "../runtime/observer.js";
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

  holds(version: ModuleEdges): boolean {
    return [...this.#hooks].some((hook) => hook.version === version);
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Wants to know of new versions. */
export interface AcceptCallback {
  /** Own files; the module's own file when it accepts itself. */
  readonly files: readonly string[];
  /** `updated`: those of `files` that have a new version. */
  run(updated: readonly string[]): unknown;
  /** Gets what `run` throws; absent: it is reported. */
  onError?: ((error: unknown, updated: readonly string[]) => unknown) | undefined;
}

export type Listener = (payload: unknown) => unknown;

/** Of one version of a module. */
export class HotState {
  readonly version: ModuleVersion;
  readonly accepts: AcceptCallback[] = [];
  /** Run when nothing leads to the file any more. */
  readonly prunes: (() => unknown)[] = [];
  /** Get what the evaluation of the next version throws, when the module accepts itself (webpack). */
  readonly errorHandlers: ((error: unknown) => unknown)[] = [];
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(version: ModuleVersion) {
    this.version = version;
  }

  get file(): string {
    return this.version.record.file;
  }

  listen(event: string, listener: Listener): void {
    const known = this.#listeners.get(event);
    if (known) known.add(listener);
    else this.#listeners.set(event, new Set([listener]));
  }

  unlisten(event: string, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener);
  }

  listeners(event: string): Listener[] {
    return [...(this.#listeners.get(event) ?? [])];
  }
}

/** What the objects that modules get as their `hot` ask of those behind them. */
export interface HotActions {
  readonly status: ModuleHotStatus;
  readonly disposeHooks: DisposeHooks;
  /** What importers of the file read. */
  namespaceOf(file: string): object;
  /** The own file to which a specifier leads; undefined for what is not own. */
  targetOf(specifier: string, version: ModuleVersion, kind: "import" | "require"): string | undefined;
  /** `import.meta.hot.data`. */
  lastingValues(file: string): object;
  /** What a dispose handler of `module.hot` gets, to fill it for the next version. */
  handedOn(state: HotState): object;
  /** `module.hot.data`. */
  handedTo(file: string): object | undefined;
  isCurrent(state: HotState): boolean;
  /** The importers are to be loaded again; with `again` the file is, too. */
  invalidate(state: HotState, message: string | undefined, how: { readonly again: boolean }): void;
}
