/** Evaluates files in order: those of a start, and those of a plan, which replaces modules as a whole or not at all. */
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import type { FunctionSwap } from "../../src/common/protocol/orders.js";
import { Abandonment } from "../abandonment.js";
import { PlanLife, type PlanParticipant } from "../plan-participant.js";
import { AT_RELOAD, AT_START } from "../written/written-edges.js";
import type { Loading, LoadingContext } from "./loading.js";
import type { ModuleRecord, ModuleVersion } from "./module-record.js";

export interface RuntimePlan {
  /** In this order. */
  readonly purge: readonly string[];
  /** In this order. */
  readonly load: readonly string[];
  /** New code; a purged file without is evaluated from the code it had. */
  readonly modules: readonly PreparedModule[];
  /** Modules that stay, but whose specifiers lead elsewhere now. */
  readonly relinked: readonly PreparedModule[];
  /** Files whose code is not to be used any more: the host is asked when one is evaluated. */
  readonly forget?: readonly string[] | undefined;
  /** Bodies of functions that are swapped; their modules are evaluated from the new text when they are next. */
  readonly swaps?: readonly FunctionSwap[] | undefined;
  /** When all is evaluated, the plan fails with this text all the same. */
  readonly fails?: string | undefined;
}

/** What else is done on the way of a plan; absent: nothing. */
export interface PlanSteps<Plan> {
  readonly participants?: readonly PlanParticipant<Plan>[];
  /** By which the plan can be given up. */
  readonly abandonment?: Abandonment;
  /** Before the first purge, with what will be purged; awaited. */
  beforePurge?(files: readonly string[]): void | Promise<void>;
  /** Before a version is purged; awaited when it gives a promise. */
  purging?(version: ModuleVersion): Promise<void> | undefined;
  /** All is purged; what comes next is the evaluation. */
  purged?(): void;
  /** The plan has failed, and its versions have changed the state of these files, which are kept. */
  affected?(files: readonly string[]): void;
}

export interface StartSteps {
  /** Node loads the entry, of whatever format, as an ES module asks for it: behind `--import`. */
  readonly isImported: boolean;
  /** Runs before the files, as a part of the start. */
  readonly first?: (() => Promise<void>) | undefined;
  /** With what a CommonJS file has thrown, before anything else of the app runs. */
  readonly threw?: ((error: unknown) => void) | undefined;
}

export interface AppliedPlan {
  /** In evaluation order. */
  readonly loaded: LoadedModule[];
  /** Those of `plan.purge` that had been evaluated. */
  readonly purged: string[];
}

export interface PlanRunContext
  extends Pick<
    LoadingContext,
    "observer" | "reads" | "registry" | "natives" | "report" | "classes" | "written" | "esm" | "traces"
  > {
  readonly loading: Loading;
}

export class PlanRun {
  readonly #context: PlanRunContext;
  /** What the start began with. */
  #starts: readonly string[] = [];
  #isImported = false;

  constructor(context: PlanRunContext) {
    this.#context = context;
  }

  /** Evaluates files for the first time, in this order. */
  async start(files: Iterable<string>, { isImported, first, threw }: StartSteps): Promise<void> {
    const { report, observer, written, loading, registry, reads } = this.#context;
    this.#starts = [...files];
    this.#isImported = isImported;
    report.hold();
    observer.openWindow();
    loading.isUpToDate();
    reads.startOver();
    written.bounds = AT_START;
    observer.evaluatesMany = true;
    try {
      if (first) await first();
      for (const file of this.#starts) await this.#evaluateRoot(registry.record(file), threw);
    } finally {
      observer.evaluatesMany = false;
      report.release();
    }
  }

  /** Replaces modules. If anything throws, every module is as it was before, and the error is thrown again. */
  async apply<Plan extends RuntimePlan>(plan: Plan, steps: PlanSteps<Plan>): Promise<AppliedPlan> {
    const { participants = [], abandonment = new Abandonment() } = steps;
    const life = new PlanLife(participants, abandonment);
    try {
      await life.begin(plan);
      return await this.#replace(plan, steps, abandonment, life);
    } catch (error) {
      await life.rollback(error);
      throw error;
    }
  }

  async #replace<Plan extends RuntimePlan>(
    plan: Plan,
    steps: PlanSteps<Plan>,
    abandonment: Abandonment,
    life: PlanLife<Plan>,
  ): Promise<AppliedPlan> {
    const { observer, report, registry, loading, traces } = this.#context;
    this.#begin();
    try {
      const { purged, again } = await this.#purgeAll(plan, steps, abandonment);
      steps.purged?.();
      observer.evaluatesMany = true;
      for (const file of plan.load) {
        const records = again.get(file) ?? [registry.record(file)];
        for (const record of records) {
          const isRoot = this.#starts.includes(file) && record === registry.record(file);
          await abandonment.until(isRoot ? this.#evaluateRoot(record) : loading.evaluate(record));
        }
      }
      await abandonment.until(this.#evaluateLeftOut(purged));
      await abandonment.until(this.#evaluateBridged(purged, plan));
      if (plan.fails !== undefined) throw new Error(plan.fails);
      this.#commit(plan);
      const loaded = report.take();
      // What it has kept modules read is told afterwards: they were not evaluated.
      await life.commit();
      return { purged, loaded };
    } catch (error) {
      traces.noteThrown(error);
      const affected = this.#rollback();
      steps.affected?.(affected);
      throw error;
    } finally {
      observer.evaluatesMany = false;
      report.release();
    }
  }

  #evaluateRoot(record: ModuleRecord, threw: StartSteps["threw"] = () => {}): Promise<void> {
    const { loading } = this.#context;
    return this.#isImported ? loading.evaluate(record) : loading.evaluateRoot(record, threw);
  }

  #begin(): void {
    const { report, observer, written, registry, loading, reads } = this.#context;
    report.deliver();
    report.hold();
    observer.openWindow();
    loading.isUpToDate();
    reads.startOver();
    written.settle();
    written.bounds = AT_RELOAD;
    registry.begin();
  }

  /** Gives the files that had been evaluated, and for each of them the modules to evaluate again. */
  async #purgeAll<Plan extends RuntimePlan>(
    plan: Plan,
    { beforePurge, purging }: PlanSteps<Plan>,
    abandonment: Abandonment,
  ): Promise<{ purged: string[]; again: Map<string, readonly ModuleRecord[]> }> {
    const { registry, loading } = this.#context;
    const { purge, modules, relinked, forget = [], swaps = [] } = plan;
    const goes = new Set([...purge, ...this.#evaluatedMeanwhile(plan), ...forget]);
    loading.add(modules);
    for (const { module } of swaps) registry.prepare(module);
    for (const prepared of relinked) this.#relink(prepared);
    for (const file of forget) this.#forgetCode(file);
    await beforePurge?.([...goes].filter((file) => registry.version(file) !== undefined));
    const purged: string[] = [];
    const again = new Map<string, readonly ModuleRecord[]>();
    for (const file of goes) {
      const records = registry.recordsOf(file).filter(({ version }) => version !== undefined);
      if (records.length === 0) continue;
      const kept = registry.keptOf(file);
      again.set(
        file,
        records.filter((record) => kept.includes(record)),
      );
      for (const record of records) {
        const pending = record.version && purging?.(record.version);
        if (pending) await abandonment.until(pending);
        if (record.version) loading.unload(record);
      }
      purged.push(file);
    }
    return { purged, again };
  }

  #commit({ forget = [] }: RuntimePlan): void {
    const { registry, natives, classes } = this.#context;
    for (const version of registry.commit()) classes.drop(version.edges);
    for (const file of forget) if (registry.letGo(file)) natives.forget(file);
  }

  /** Gives the files that are kept, and that versions which are gone have written to. */
  #rollback(): string[] {
    const { registry, report, classes, written, esm } = this.#context;
    const touched = written.abandon();
    const made = new Set<string>();
    for (const version of registry.rollback()) {
      made.add(version.edges.file);
      report.dropped(version.edges);
      classes.drop(version.edges);
      if (version.kind === "esm") esm.discard(version);
    }
    for (const record of registry.all()) {
      const { version, bridges } = record;
      if (!version) continue;
      esm.updateViews(record);
      report.restored(version.edges);
      for (const bridge of bridges) bridge.update();
    }
    return touched.filter((file) => registry.version(file) !== undefined && !made.has(file));
  }

  /**
   * A body that finds a module by a computed specifier may lead to kept modules whose static imports were purged, which no
   * plan can foresee. A start evaluates what is imported, read or not; so does this.
   */
  async #evaluateLeftOut(purged: readonly string[]): Promise<void> {
    const { registry, loading } = this.#context;
    const isLeftOut = (file: string): boolean => registry.version(file) === undefined;
    if (!purged.some(isLeftOut)) return;
    // A Set is walked in insertion order, entries added on the way included.
    const reached = new Set(this.#starts);
    for (const file of reached) {
      const version = registry.version(file);
      if (!version) continue;
      for (const target of version.kind === "esm" ? version.imports : []) {
        if (target.type !== "own") continue;
        if (!target.record.version) await loading.evaluate(target.record);
        reached.add(target.record.file);
      }
      for (const observed of version.edges.observed) reached.add(observed);
    }
  }

  /** Node's modules hold values: a package that keeps one of an own file has the old code until that is evaluated again. */
  async #evaluateBridged(purged: readonly string[], { forget = [] }: RuntimePlan): Promise<void> {
    const { registry, loading } = this.#context;
    for (const file of purged) {
      if (forget.includes(file)) continue;
      for (const record of registry.keptOf(file))
        if (record.bridges.size > 0 && !record.version) await loading.evaluate(record);
    }
  }

  /** Files that a request has loaded since the plan was made, when they were not evaluated yet as far as main knew. */
  #evaluatedMeanwhile({ purge, modules }: RuntimePlan): string[] {
    const planned = new Set(purge);
    return modules
      .filter(({ compiled: { file, hash } }) => {
        const version = this.#context.registry.version(file);
        return version && !planned.has(file) && version.prepared.compiled.hash !== hash;
      })
      .map(({ compiled }) => compiled.file);
  }

  #relink(prepared: PreparedModule): void {
    const { registry, esm } = this.#context;
    for (const record of registry.prepare(prepared)) {
      if (record.version?.kind === "esm") esm.relink(record.version, prepared);
      else if (record.version) record.version.prepared = prepared;
    }
  }

  #forgetCode(file: string): void {
    const { registry } = this.#context;
    for (const record of registry.recordsOf(file)) {
      registry.touch(record);
      record.prepared = undefined;
    }
  }
}
