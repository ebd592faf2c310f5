/** Everything behind `import.meta.hot` and `module.hot`: who accepts what, and who is told of a reload and when. */
import { HOOK_MS } from "../../src/common/deadlines.js";
import type { ModuleHotStatus } from "../../src/common/protocol/hot-api.js";
import type { PlanOrder } from "../../src/common/protocol/orders.js";
import { withDeadline } from "../../src/common/wait.js";
import type { HotContexts } from "../runtime/host.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { EsmModule, ModuleVersion } from "../runtime/module-record.js";
import type { Observer } from "../runtime/observer.js";
import type { Waits } from "../waits.js";
import { type AcceptCallback, type DisposeHooks, type HotActions, HotState } from "./dispose-hooks.js";
import { createImportMetaHot } from "./import-meta-hot.js";
import { createModuleHot, STATUS_EVENT } from "./module-hot.js";

export interface HotOptions {
  readonly observer: Observer;
  /** Knows what is waited for; absent: nobody asks. */
  readonly waits?: Waits | undefined;
  readonly disposeHooks: DisposeHooks;
  /** The version of a file that is loaded; undefined: none. */
  currentVersion(file: string): ModuleEdges | undefined;
  namespaceOf(file: string): object;
  targetOf(specifier: string, version: ModuleVersion, kind: "import" | "require"): string | undefined;
  /** The importers of `file` are to be loaded again; with `again` it is, too. */
  invalidated(file: string, message: string | undefined, again: boolean): void;
  /** A callback of the app's threw, or took too long. */
  failed(file: string, what: string, error: unknown): void;
}

export class Hot implements HotActions, HotContexts {
  status: ModuleHotStatus = "idle";
  readonly #options: HotOptions;
  /** Born when a module asks for its `hot`; dies when a plan has replaced the version. */
  readonly #states = new Map<ModuleEdges, HotState>();
  // By version, not by its edges: async contexts (of a kept promise, say) hold edges, and these hold the module's scope.
  readonly #importMetas = new WeakMap<ModuleVersion, object>();
  readonly #modules = new WeakMap<ModuleVersion, object>();
  /** File -> `import.meta.hot.data`, for all its versions; dies when the file is pruned. */
  readonly #lasting = new Map<string, object>();
  /** File -> what the last dispose of its `module.hot` left for the next version; dies likewise. */
  readonly #handed = new Map<string, object>();
  /** The same by the version that left it. One that was restored after a failed reload has no handlers to do so again. */
  readonly #handedBy = new WeakMap<ModuleVersion, object>();
  /** What the plan that is being applied has purged, with its state if it had one. */
  readonly #purged = new Map<string, HotState | undefined>();
  /** Versions that were purged and have no successor yet: late code may load the file again, or it is pruned. */
  readonly #unloaded = new Map<string, HotState>();
  /** Told while a plan was being applied: counts only when that succeeds. */
  readonly #invalidations: (() => void)[] = [];

  constructor(options: HotOptions) {
    this.#options = options;
  }

  get disposeHooks(): DisposeHooks {
    return this.#options.disposeHooks;
  }

  /** Whether the module has asked for its `hot`. */
  holds(version: ModuleEdges): boolean {
    return this.#states.has(version);
  }

  // ---- what modules get

  importMeta(module: EsmModule): object {
    const known = this.#importMetas.get(module) ?? createImportMetaHot(this, this.#stateOf(module));
    this.#importMetas.set(module, known);
    return known;
  }

  module(version: ModuleVersion): object {
    const known = this.#modules.get(version) ?? createModuleHot(this, this.#stateOf(version));
    this.#modules.set(version, known);
    return known;
  }

  namespaceOf(file: string): object {
    return this.#options.namespaceOf(file);
  }

  targetOf(specifier: string, version: ModuleVersion, kind: "import" | "require"): string | undefined {
    return this.#options.targetOf(specifier, version, kind);
  }

  lastingValues(file: string): object {
    const values = this.#lasting.get(file) ?? {};
    this.#lasting.set(file, values);
    return values;
  }

  handedOn({ file, version }: HotState): object {
    const values = this.#handedBy.get(version) ?? {};
    this.#handedBy.set(version, values);
    this.#handed.set(file, values);
    return values;
  }

  handedTo(file: string): object | undefined {
    return this.#handed.get(file);
  }

  isCurrent({ version }: HotState): boolean {
    return this.#options.currentVersion(version.record.file) === version.edges;
  }

  invalidate(state: HotState, message: string | undefined, { again }: { again: boolean }): void {
    const { file } = state;
    // The callback of a version that has just been replaced may find that the new one does not do.
    if (!this.#options.currentVersion(file)) return;
    const tell = () => {
      void this.#emit("vite:invalidate", { path: file, message });
      this.#options.invalidated(file, message, again);
    };
    if (this.status === "idle") tell();
    else this.#invalidations.push(tell);
  }

  #stateOf(version: ModuleVersion): HotState {
    const state = this.#states.get(version.edges) ?? new HotState(version);
    this.#states.set(version.edges, state);
    return state;
  }

  // ---- a plan

  /** A plan begins that evaluates `load`. */
  async begin(load: readonly string[]): Promise<void> {
    this.#purged.clear();
    if (load.length === 0) return;
    await this.#emit("vite:beforeUpdate", updatePayload(load));
    await this.#become("dispose");
  }

  /** Before the dispose hooks of the version. */
  purging({ record, edges }: ModuleVersion): void {
    const state = this.#states.get(edges);
    this.#purged.set(record.file, state);
    if (state) this.handedOn(state);
    else this.#handed.delete(record.file);
  }

  /** Everything is evaluated: those who accept it are told. `accepted`: in evaluation order. */
  async commit({ accepted = [], pruned = [] }: Pick<PlanOrder, "accepted" | "pruned">): Promise<void> {
    await this.#become("apply");
    const updated = new Set([...this.#purged.keys()].filter((file) => this.#options.currentVersion(file)));
    for (const [file, state] of this.#purged) {
      if (updated.has(file)) this.#unloaded.delete(file);
      // Nothing else is kept of a version that was purged: its state holds on to it.
      else if (state && state.prunes.length > 0) this.#unloaded.set(file, state);
    }
    const replaced = new Map(this.#purged);
    this.#purged.clear();
    this.#dropReplaced();
    for (const file of accepted) await this.#tellSelf(file, replaced.get(file));
    for (const state of [...this.#states.values()]) {
      if (!updated.has(state.file)) await this.#tellAccepting(state, updated);
    }
    await this.#prune(pruned);
    if (updated.size > 0) await this.#emit("vite:afterUpdate", updatePayload([...updated]));
    await this.#become("idle");
    for (const tell of this.#invalidations.splice(0)) tell();
  }

  /** The plan has failed, by an error of `file` if that is known, and the versions before it are current again. */
  async rollback(error: unknown, file: string | undefined): Promise<void> {
    await this.#become("fail");
    const state = file === undefined ? undefined : this.#purged.get(file);
    for (const handle of state?.errorHandlers ?? []) await this.#run(state, "the error handler", () => handle(error));
    this.#purged.clear();
    this.#invalidations.length = 0;
    this.#dropReplaced();
    await this.#become("idle");
  }

  /** A change could not be taken in. */
  announceFailure(err: object): Promise<void> {
    return this.#emit("vite:error", { type: "error", err });
  }

  /** Another thread follows this one. */
  announceRestart(): Promise<void> {
    return this.#emit("vite:beforeFullReload", { type: "full-reload", path: "*" });
  }

  #dropReplaced(): void {
    for (const [edges, state] of this.#states) if (!this.isCurrent(state)) this.#states.delete(edges);
  }

  /** Callbacks of the version before, in the name of the present one: what they create is its. */
  async #tellSelf(file: string, before: HotState | undefined): Promise<void> {
    const version = this.#options.currentVersion(file);
    if (!before || !version) return;
    for (const callback of before.accepts) {
      if (callback.files.includes(file)) await this.#tell(before, version, callback, [file]);
    }
  }

  async #tellAccepting(state: HotState, updated: ReadonlySet<string>): Promise<void> {
    for (const callback of state.accepts) {
      const files = callback.files.filter((file) => updated.has(file));
      if (files.length > 0) await this.#tell(state, state.version.edges, callback, files);
    }
  }

  async #tell(
    state: HotState,
    as: ModuleEdges,
    { run, onError }: AcceptCallback,
    updated: readonly string[],
  ): Promise<void> {
    try {
      await this.#inTime(
        state.file,
        "an accept callback",
        this.#options.observer.evaluate(as, () => run(updated)),
      );
    } catch (error) {
      if (onError) await this.#run(state, "the error handler", () => onError(error, updated));
      else this.#options.failed(state.file, "an accept callback", error);
    }
  }

  async #prune(files: readonly string[]): Promise<void> {
    const unloaded = files.filter((file) => !this.#options.currentVersion(file));
    if (unloaded.length === 0) return;
    await this.#emit("vite:beforePrune", { type: "prune", paths: unloaded });
    for (const file of unloaded) {
      const state = this.#unloaded.get(file);
      for (const run of state?.prunes ?? []) await this.#run(state, "a prune callback", run);
      this.#unloaded.delete(file);
      this.#lasting.delete(file);
      this.#handed.delete(file);
    }
  }

  /** Nobody is told of a status, and nothing waits, when nobody listens. */
  async #become(status: ModuleHotStatus): Promise<void> {
    this.status = status;
    await this.#emit(STATUS_EVENT, status);
  }

  async #emit(event: string, payload: unknown): Promise<void> {
    for (const state of [...this.#states.values()]) {
      if (!this.isCurrent(state)) continue;
      for (const listener of state.listeners(event)) {
        await this.#run(state, `a listener of ${event}`, () => listener(payload));
      }
    }
  }

  async #run(state: HotState | undefined, what: string, run: () => unknown): Promise<void> {
    if (!state) return;
    try {
      await this.#inTime(state.file, what, this.#options.observer.resume(state.version.edges, run));
    } catch (error) {
      this.#options.failed(state.file, what, error);
    }
  }

  async #inTime(file: string, what: string, result: unknown): Promise<void> {
    const done = withDeadline(Promise.resolve(result), HOOK_MS);
    await (this.#options.waits?.during(what, file, done) ?? done);
  }
}

function updatePayload(files: readonly string[]) {
  const timestamp = Date.now();
  return {
    type: "update",
    updates: files.map((file) => ({ type: "js-update", path: file, acceptedPath: file, timestamp })),
  };
}
