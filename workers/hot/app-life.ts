/**
 * What the app has a say in when it is reloaded or ended: dispose hooks, kept values, acceptances; and the object by which
 * `unreloader/app` finds them.
 */
import { HOOK_MS } from "../../src/common/deadlines.js";
import { APP_HOST, type AppHost, type MonitoredHost } from "../../src/common/protocol/app-host.js";
import type { PlanOrder } from "../../src/common/protocol/orders.js";
import type { PlanParticipant } from "../plan-participant.js";
import type { PurgeStep } from "../purge.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { ModuleVersion } from "../runtime/module-record.js";
import type { Observer } from "../runtime/observer.js";
import type { Waits } from "../waits.js";
import { DisposeHooks } from "./dispose-hooks.js";
import { Hot } from "./hot.js";
import { KeptValues } from "./kept-values.js";

export interface AppLifeOptions {
  readonly observer: Observer;
  /** Knows what is waited for; absent: nobody asks. */
  readonly waits?: Waits | undefined;
  readonly generation: number;
  readonly autoload: boolean;
  readonly monitored: MonitoredHost;
  /** The version of a file that is loaded; undefined: none. */
  currentVersion(file: string): ModuleEdges | undefined;
  /** The file whose evaluation threw this. */
  fileOf(error: unknown): string | undefined;
  namespaceOf(file: string): object;
  targetOf(specifier: string, version: ModuleVersion, kind: "import" | "require"): string | undefined;
  invalidated(file: string, message: string | undefined, again: boolean): void;
  /** Something of the app's threw, or took too long. `file` is undefined when no module's evaluation has brought it. */
  failed(file: string | undefined, what: string, error: unknown): void;
}

type LifePlan = Pick<PlanOrder, "generation" | "load" | "accepted" | "pruned">;

export class AppLife implements PlanParticipant<LifePlan> {
  /** `unreloader.generation`. */
  generation: number;
  readonly hot: Hot;
  readonly #options: AppLifeOptions;
  readonly #disposeHooks: DisposeHooks;
  readonly #kept: KeptValues;
  /** The plan under way. */
  #plan: LifePlan | undefined;
  #generationBefore = 0;

  constructor(options: AppLifeOptions) {
    const { observer, failed, waits } = options;
    this.#options = options;
    this.generation = options.generation;
    this.#disposeHooks = new DisposeHooks({
      observer,
      waits,
      failed: (file, error) => failed(file, "a dispose hook", error),
    });
    this.#kept = new KeptValues({
      observer,
      waits,
      currentVersion: (file) => options.currentVersion(file),
      failed: (file, key, error) => failed(file, `closing what is kept as ${JSON.stringify(key)}`, error),
    });
    this.hot = new Hot({ ...options, disposeHooks: this.#disposeHooks });
  }

  /** Whether a purge of the version runs code of the app's. */
  holds(version: ModuleEdges): boolean {
    return this.hot.holds(version) || this.#disposeHooks.holds(version);
  }

  /** Lets `unreloader/app` find it. */
  install(): void {
    const current = (): number => this.generation;
    const host: AppHost = {
      version: 2,
      reloading: true,
      autoloading: this.#options.autoload,
      monitored: this.#options.monitored,
      get generation() {
        return current();
      },
      dispose: (hook) => void this.#disposeHooks.add(this.#options.observer.owner, hook),
      keep: (key, create, close) => this.#kept.keep(key, create, close),
    };
    Object.defineProperty(globalThis, APP_HOST, { configurable: true, value: host });
  }

  /** In the order in which they belong before those that undo what the module has created. */
  get purgeSteps(): readonly PurgeStep[] {
    return [
      {
        name: "dispose",
        run: (version) => {
          this.hot.purging(version);
          return this.#disposeHooks.dispose(version.edges);
        },
      },
      { name: "keep", run: (version) => this.#kept.closeOf(version) },
    ];
  }

  async begin(plan: LifePlan): Promise<void> {
    this.#plan = plan;
    this.#generationBefore = this.generation;
    await this.#kept.closeUnused();
    await this.hot.begin(plan.load);
    // It may have been given up meanwhile.
    if (this.#plan === plan) this.generation = plan.generation;
  }

  async commit(): Promise<void> {
    const { accepted, pruned = [] } = this.#plan ?? {};
    this.#plan = undefined;
    await this.hot.commit({ ...(accepted && { accepted }), pruned });
    if (pruned.length > 0) await this.#kept.closeUnused(pruned);
  }

  async rollback(error: unknown): Promise<void> {
    this.#plan = undefined;
    this.generation = this.#generationBefore;
    await this.hot.rollback(error, this.#options.fileOf(error));
  }

  /** Runs the dispose hooks of versions that a failed plan has made. */
  disposeGone(): Promise<void> {
    return this.#disposeHooks.disposeWhere((version) => this.#options.currentVersion(version.file) !== version);
  }

  /** The app ends. `beginning` is called when there is anything to do, with how long it may take. */
  async end(beginning: (deadlineMs: number) => void): Promise<void> {
    if (this.#disposeHooks.size + this.#kept.size === 0) return;
    beginning(HOOK_MS);
    const end = performance.now() + HOOK_MS;
    const remaining = (): number => Math.max(0, Math.ceil(end - performance.now()));
    await this.#disposeHooks.disposeAll(remaining);
    await this.#kept.closeEverything(remaining);
  }
}
