/**
 * Carries out a plan: the one list of those who take part in its life, and what main is told of it. They begin in this order;
 * what began last is committed, or rolled back, first.
 */
import { LATE_READS_MS, READS_POLL_MS } from "../src/common/deadlines.js";
import type { SupervisorOrder } from "../src/common/protocol/orders.js";
import { lookUntil } from "../src/common/wait.js";
import type { Abandonment } from "./abandonment.js";
import type { AppParts } from "./assemble.js";
import { shownName } from "./classes/base-chain.js";
import type { Kept } from "./ledger/package-keepers.js";
import type { PlanParticipant } from "./plan-participant.js";
import type { ModuleEdges } from "./runtime/module-edges.js";
import type { ModuleVersion } from "./runtime/module-record.js";
import type { AppliedPlan } from "./runtime/plan-run.js";
import type { VersionToPurge } from "./stale/stale-reports.js";

type ApplyPlan = Extract<SupervisorOrder, { type: "applyPlan" }>;

export class PlanApplication {
  readonly #parts: AppParts;
  readonly #participants: readonly PlanParticipant<ApplyPlan>[];
  /** Requests or calls were under way when the last plan was applied, and may be still. */
  #othersRun = false;
  /** Purges of versions that go on; also when their plan was given up. */
  readonly #purging = new Set<Promise<void>>();

  constructor(parts: AppParts) {
    this.#parts = parts;
    const { adapters, serving, monitored, life, ledger, classes, leftovers, listen, runtime, observer, mainThread } =
      parts;
    this.#participants = [
      // Committed last: the new servers are reached by then.
      adapters,
      ...(mainThread.channel ? [mainThread.channel] : []),
      serving,
      monitored,
      life,
      { rollback: () => this.#keepOpen() },
      listen.plan.released,
      { rollback: () => ledger.undoWhere((version) => !runtime.isCurrent(version)) },
      { rollback: () => life.disposeGone() },
      { begin: ({ purge }) => (purge.length > 0 ? leftovers.watch() : undefined) },
      runtime.swapping,
      classes.purge,
      listen.plan.opened,
    ];
    observer.inUse = () => this.#othersRun || listen.listening().length > 0;
  }

  /** Never rejects: the outcome is reported. */
  async apply(plan: ApplyPlan, abandonment: Abandonment): Promise<void> {
    const { listen, runtime, reports, compiler, serving, packageStates, stoppedQueues } = this.#parts;
    await abandonment.unless(listen.requests.drainedForReload(plan.drainMs));
    this.#othersRun = listen.requests.size > 0;
    const held = this.#noteKept(plan.purge);
    runtime.deliverEdges();
    if (plan.reportsSeen < reports.ofGraph) {
      reports.send({ type: "planOutdated", planId: plan.planId });
      return;
    }
    const refusal = held ?? (plan.swaps && runtime.swapping.refusal(plan.swaps));
    if (refusal !== undefined) {
      const error = reports.serialize(new Error(refusal));
      reports.send({ type: "planFailed", planId: plan.planId, damaged: [], error });
      return;
    }
    compiler.forget({ files: plan.forget, lookups: plan.lookupsChanged });
    this.#parts.packageKeepers.begin(plan.purge);
    packageStates.planned(plan.dropped ?? []);
    const tellEdges = runtime.holdEdges();
    let endWatching: (() => void) | undefined;
    stoppedQueues.isEvaluating = true;
    const purging: VersionToPurge[] = [];
    try {
      const applied = await runtime.applyPlan(plan, {
        participants: this.#participants,
        abandonment,
        // First of all: a dispose hook or an adapter may close a server itself, which must not close its public port.
        beforePurge: (files) => {
          listen.release(new Set(files));
          endWatching = serving.watchPlan();
        },
        purging: (version) => {
          purging.push(this.#versionToPurge(version));
          return this.#purge(version);
        },
        purged: () => reports.send({ type: "planPurged", planId: plan.planId }),
        affected: (files) => this.#parts.purge.affected(files),
      });
      this.#parts.entryProof.reloaded(plan.purge);
      await abandonment.unless(serving.filesRead());
      const kept = await this.#keptByPackage();
      // What they have read meanwhile is known before a request may be answered, and a file be saved for that.
      const later = new Map(runtime.takeLoaded().map((module) => [module.file, module]));
      const loaded = applied.loaded.map((module) => later.get(module.file) ?? module);
      this.#tellApplied(plan, { ...applied, loaded }, purging, kept);
      for (const { file } of loaded) later.delete(file);
      if (later.size > 0) reports.sendOfGraph({ type: "modulesLoaded", loaded: [...later.values()] });
    } catch (error) {
      this.#tellFailed(plan, error);
    } finally {
      stoppedQueues.isEvaluating = false;
      tellEdges();
      endWatching?.();
    }
    serving.settleLater();
  }

  #purge(version: ModuleVersion): Promise<void> | undefined {
    const pending = this.#parts.purge.run(version);
    if (pending) this.#purging.add(pending);
    void pending?.finally(() => this.#purging.delete(pending));
    return pending;
  }

  #keepOpen(): void {
    if (this.#purging.size > 0) this.#parts.listen.plan.keepOpen(Promise.allSettled(this.#purging));
  }

  /**
   * Kept modules that hold what the purge would end, as requests have handed it over, go with those who made it; those that have
   * filled a variable from what is purged depend on it: main hears that, and plans again. Of a global that is nobody's only
   * a fresh worker is free: why that is needed is returned.
   */
  #noteKept(purge: readonly string[]): string | undefined {
    const { ledger, runtime, reports } = this.#parts;
    const purged = new Set(purge);
    runtime.noteMemos(purged);
    const makers = new Map<object, ModuleEdges>();
    for (const file of purge) {
      const version = runtime.currentVersion(file);
      for (const object of version ? ledger.endedWith(version) : []) makers.set(object, version as ModuleEdges);
    }
    if (makers.size === 0) return undefined;
    const { files, globals } = runtime.holdersOf(new Set(makers.keys()), purged);
    for (const [holder, object] of files) makers.get(object)?.writes(holder);
    for (const [name, object] of globals) {
      const maker = makers.get(object);
      if (maker)
        return `the global ${name} holds what ${reports.shown(maker.file)} has opened, and the reload would close`;
    }
    return undefined;
  }

  /** What a package may be given later than at the evaluation has its time: an app listens when it is done. */
  async #keptByPackage(): Promise<Kept | undefined> {
    const { packageKeepers, listen } = this.#parts;
    let kept = packageKeepers.kept();
    if (kept && listen.awaitsAdoption) {
      await lookUntil(() => !listen.awaitsAdoption, READS_POLL_MS, performance.now() + LATE_READS_MS);
      kept = packageKeepers.kept();
    }
    packageKeepers.end(kept !== undefined);
    return kept;
  }

  #tellApplied(
    { planId, generation }: ApplyPlan,
    { purged, loaded }: AppliedPlan,
    versions: readonly VersionToPurge[],
    kept: Kept | undefined,
  ): void {
    const { purge, stale, packageRegistrations, packageStates, reports, classes } = this.#parts;
    purge.takeEffects();
    stale.purged(generation, versions);
    const stuck = packageRegistrations.takeStuck();
    reports.send({
      type: "planApplied",
      planId,
      purged: purged.map((file) => ({ file, classes: [...(classes.purge.purged.get(file) ?? [])] })),
      loaded,
      stuck: kept ? [decisive(kept, stuck), ...stuck.slice(1)] : stuck,
      left: packageStates.left(),
    });
    stale.stuck(generation, stuck);
  }

  #tellFailed({ planId }: ApplyPlan, error: unknown): void {
    const { runtime, reports, purge } = this.#parts;
    const file = runtime.fileOf(error);
    reports.send({
      type: "planFailed",
      planId,
      ...(file !== undefined && { file }),
      damaged: purge.takeEffects(),
      error: reports.serialize(error),
    });
  }

  /** What is purged, as it is before it goes. */
  #versionToPurge(version: ModuleVersion): VersionToPurge {
    const { runtime, classes } = this.#parts;
    const all = runtime.classes.classesOf(version.edges);
    const purged = all.filter(({ target }) => classes.selects(target));
    return {
      version,
      classes: purged.map(({ name, target }) => ({ name: shownName(name), class: target })),
      reopened: purged.length < all.length,
    };
  }
}

/** Said of what could not be taken out, if there is anything. */
function decisive({ file, packageName }: Kept, [stuck]: readonly Stuck[]): Stuck & { readonly decides: string } {
  return { ...(stuck ?? { file, what: `value in the package ${packageName}` }), decides: packageName };
}

interface Stuck {
  readonly file: string;
  readonly what: string;
}
