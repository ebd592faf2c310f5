/**
 * Brings a running app to its newest code in the thread that it has: prepares what changed, has the thread apply the plan
 * that was decided on, and climbs to all own modules when a part of them is not enough.
 */

import type { PreparedModule } from "../common/compile/compiled-module.js";
import type { PlanOrder } from "../common/protocol/orders.js";
import { type SerializedError, serializeError } from "../common/protocol/serialized-error.js";
import type { WaitLimits } from "../common/wait.js";
import type { FileRegistry } from "../files/registry.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import { movedAmong } from "../graph/moved.js";
import type { ReloadPlan } from "../graph/plan.js";
import type { ResolvedOptions } from "../options/options.js";
import { serializeSourceError } from "../reports/failure.js";
import type { RestartReason, SwappedFile } from "../reports/report.js";
import { errorOfEnd } from "../thread/app-thread.js";
import type { ApplyOutcome, Interruption } from "../thread/thread-answer.js";
import { type AppliedPlans, filesOf, firstApplied, thenApplied, writersIntoKept } from "./applied-plan.js";
import { droppedStatements } from "./dropped-statements.js";
import { type EditCodes, raised } from "./edit-codes.js";
import { FunctionSwaps } from "./function-swaps.js";
import { decideInPlace, goneFrom, type InPlaceDecision, planAgain } from "./in-place-decision.js";
import type { LoadedApp } from "./loaded-app.js";
import type { Monitoring } from "./monitoring.js";
import type { OwnWrites } from "./own-writes.js";
import type { PendingChanges } from "./pending.js";
import type { Preparation } from "./prepare.js";
import type { Preparer } from "./preparer.js";

export interface InPlaceReloadOptions {
  readonly scope: ResolvedOptions["scope"];
  readonly strictPurge: boolean;
  readonly monitoring: Monitoring;
  readonly ownWrites: Pick<OwnWrites, "takeOutdated">;
  readonly preparer: Preparer;
  readonly registry: FileRegistry;
  /** Milliseconds that requests in flight get before the purge. */
  readonly drainMs: number;
  /** Functions have cells: their bodies can be swapped. */
  readonly cells: boolean;
  /** A debugger may come to the thread. */
  readonly isInspected: boolean;
  readonly log: (message: string) => void;
}

export type InPlaceOutcome =
  | { readonly type: "unchanged" }
  /** `readers`: modules that were loaded for a file that they had read, each with that file. */
  | {
      readonly type: "applied";
      readonly plans: AppliedPlans;
      readonly readers: ReadonlyMap<string, string>;
      readonly edits: EditCodes;
      readonly swapped?: readonly SwappedFile[];
    }
  /** The new code does not compile or link: nothing of the running app was touched. */
  | { readonly type: "unprepared"; readonly error: SerializedError; readonly preparation: Preparation }
  /** The new code throws in this thread, which is back at the versions it had, or has ended. */
  | { readonly type: "failed"; readonly error: SerializedError; readonly preparation: Preparation }
  /** It was given up; the thread is back at the versions it had. */
  | { readonly type: "interrupted"; readonly because: Interruption; readonly preparation: Preparation }
  /** It was given up, and the thread does not answer. */
  | { readonly type: "abandoned"; readonly because: Interruption }
  | { readonly type: "needsRestart"; readonly reason: RestartReason };

type Apply = Extract<InPlaceDecision, { type: "apply" }>;
type Unprepared = Extract<InPlaceOutcome, { type: "unprepared" }>;
/** There was nothing to apply after all. */
type Needless = { readonly type: "needless" };
type Applied = Extract<ApplyOutcome, { type: "applied" }>;
type NotApplied = Exclude<ApplyOutcome, { type: "applied" | "outdated" }>;

export class InPlaceReload {
  readonly #options: InPlaceReloadOptions;
  readonly #swaps = new FunctionSwaps();
  /** Files whose reload in place has left something in a package that decides what the app answers. */
  readonly #stuckOnce = new Map<string, { readonly what: string; readonly packageName: string }>();

  /** Entries that cannot be evaluated twice in a thread -> a route that was not found after it. */
  readonly #losingRoutes = new Map<string, string>();

  constructor(options: InPlaceReloadOptions) {
    this.#options = options;
  }

  /**
   * Brings `app` to the code of the pending changes, as `generation`. `limits`: of each question to the thread. Throws only
   * for bugs.
   */
  async run(app: LoadedApp, pending: PendingChanges, generation: number, limits: WaitLimits): Promise<InPlaceOutcome> {
    const { preparer, registry, scope } = this.#options;
    let step = this.#decide(app, pending);
    if (step.type !== "apply") return this.#withoutPlan(app, step, generation, limits);
    if (this.#options.cells) {
      const swapped = await this.#swap(app, step, pending, generation, limits);
      if (swapped) return swapped;
    }
    let { plan } = step;
    const apply = (planOf: (decided: Apply) => ReloadPlan) =>
      this.#applyUntilCurrent(
        app,
        (isAgain: boolean) => {
          const decided = isAgain ? this.#decide(app, pending) : step;
          if (decided.type !== "apply") return undefined;
          step = decided;
          plan = planOf(decided);
          const { preparation, stays } = decided;
          return this.#orderFor(app, { preparation, stays, pending, plan, generation });
        },
        limits,
      );
    let outcome = await apply((decided) => decided.plan);
    const isClimbing =
      outcome.type === "failed" && scope !== "app" && step.planOfAll().purge.length > plan.purge.length;
    if (isClimbing) outcome = await apply((decided) => decided.planOfAll());
    // What is pending means something else by now.
    if (outcome.type === "needless") return this.run(app, pending, generation, limits);
    const { preparation, deleted, readers } = step;
    if (outcome.type !== "applied") return notApplied(outcome, preparation);
    const stuck = this.#stuckOf(outcome);
    if (stuck) return { type: "needsRestart", reason: { type: "stuck", ...stuck } };
    this.#swaps.purged(app, plan.purge);
    const before = app.graph;
    const isLess = app.applied(preparation, plan.purge, outcome.loaded);
    const lost = isLess ? await this.#forgetUnreachable(app, generation, limits) : [];
    if ("type" in lost) return notApplied(lost, preparation);
    const first = firstApplied(plan, outcome);
    const followed = await this.#followWrites(app, first, before, generation, limits);
    if ("type" in followed) return notApplied(followed, preparation);
    preparer.trackUsesOnly(app, followed.loaded);
    // The thread may have found a file there again by the time in which it came to it: then that is watched on.
    registry.untrack([...deleted, ...lost].filter((file) => !app.graph.has(file)));
    const reach = isClimbing ? "UR31" : followed === first ? "UR00" : followed.isReordered ? "UR21" : "UR13";
    return { type: "applied", plans: followed, readers, edits: raised(step.edits, reach) };
  }

  /**
   * What packages keep of purged modules and only a fresh thread is free of. With `strictPurge` that is anything. What a statement
   * that is gone has left says nothing about the next edits of its file; what was given first is remembered.
   */
  #stuckOf({ stuck, left }: Applied): { readonly file: string; readonly what: string } | undefined {
    const found = (this.#options.strictPurge ? stuck[0] : undefined) ?? left;
    if (found) return { file: found.file, what: found.what };
    const first = stuck.find(({ decides }) => decides !== undefined);
    if (first?.decides === undefined) return undefined;
    const { file, what, decides } = first;
    this.#stuckOnce.set(file, { what, packageName: decides });
    return { file, what };
  }

  /** Swaps bodies of functions when nothing else has changed; undefined: modules have to be evaluated. */
  async #swap(
    app: LoadedApp,
    { preparation, readers, deleted, plan }: Apply,
    pending: PendingChanges,
    generation: number,
    limits: WaitLimits,
  ): Promise<InPlaceOutcome | undefined> {
    const { monitoring, preparer, log } = this.#options;
    const concernsMore =
      preparer.startDecides ||
      readers.size + deleted.size + (plan.accepted?.length ?? 0) > 0 ||
      monitoring.missing(app.graph).length > 0;
    const decided = this.#swaps.decide({ app, pending, preparation, recorded: monitoring.recorded, concernsMore });
    if (decided.type === "not") {
      log(`no function is swapped: ${decided.because}`);
      return undefined;
    }
    const { swaps, swapped } = decided;
    const nothing = { purge: [], load: [], modules: [], relinked: [], forget: [], lookupsChanged: false };
    const order: PlanOrder = { ...nothing, generation, swaps, drainMs: this.#options.drainMs };
    const outcome = await app.epoch.apply(order, limits);
    switch (outcome.type) {
      case "failed":
        log(`no function is swapped: ${outcome.error.message}`);
        return undefined;
      case "outdated":
        // What the thread has loaded meanwhile may use them.
        return this.run(app, pending, generation, limits);
      case "applied": {
        decided.done();
        app.applied(preparation, [], outcome.loaded);
        const edits: EditCodes = new Map(pending.all().map((file) => [file, "UR05"]));
        return { type: "applied", plans: firstApplied(plan, { purged: [], loaded: [] }), readers, edits, swapped };
      }
      default:
        return notApplied(outcome, preparation);
    }
  }

  /** From now on a reload that reaches the entry takes a fresh worker. */
  losesRoutes(file: string, route: string): void {
    this.#losingRoutes.set(file, route);
  }

  #decide(app: LoadedApp, pending: PendingChanges): InPlaceDecision | Unprepared {
    const { monitoring, ownWrites, preparer, scope, isInspected } = this.#options;
    app.damage(preparer.lookedUpAcross(pending.relinked).filter((file) => app.graph.get(file)?.evaluated));
    const preparation = preparer.changes(app, pending, monitoring);
    const failure = preparer.failureOf(preparation) ?? preparer.failureOfStarted(app, pending);
    if (failure) return { type: "unprepared", error: serializeSourceError(failure), preparation };
    const missing = monitoring.missing(app.graph);
    const { recorded } = monitoring;
    const decision = decideInPlace({ app, pending, preparation, recorded, missing, scope, isInspected });
    if (decision.type !== "apply") return decision;
    for (const file of decision.plan.purge) {
      const route = this.#losingRoutes.get(file);
      if (route !== undefined) return { type: "needsRestart", reason: { type: "lost", file, route } };
      const stuck = this.#stuckOnce.get(file);
      // As it runs now: an edit that takes the package out is one more.
      if (stuck && app.modules.get(file)?.compiled.source.includes(stuck.packageName))
        return { type: "needsRestart", reason: { type: "stuck", file, what: stuck.what } };
    }
    const outdated = ownWrites.takeOutdated(decision.plan.purge);
    if (outdated.length === 0) return decision;
    for (const file of outdated) pending.changed.add(file);
    return this.#decide(app, pending);
  }

  async #withoutPlan(
    app: LoadedApp,
    step: Exclude<InPlaceDecision, Apply> | Unprepared,
    generation: number,
    limits: WaitLimits,
  ): Promise<InPlaceOutcome> {
    if (step.type === "unprepared" && this.#options.preparer.startDecides) return { ...step, type: "failed" };
    if (step.type !== "lookupsChanged") return step;
    const outcome = await this.#forget(app, () => [], generation, limits);
    return outcome.type === "applied" ? { type: "unchanged" } : notApplied(outcome, step.preparation);
  }

  /** Evaluates again, from the code they had, the modules that a failed reload has damaged: they go on serving. */
  async mend(app: LoadedApp, generation: number, limits: WaitLimits): Promise<void> {
    const { damaged } = app;
    if (damaged.length === 0) return;
    const makeOrder = () => this.#orderAgain(this.#planAgain(app, damaged), generation);
    const outcome = await this.#applyUntilCurrent(app, makeOrder, limits);
    if (outcome.type !== "applied") return;
    this.#swaps.purged(app, damaged);
    app.mended(outcome.loaded);
    this.#options.preparer.trackUses(app, outcome.loaded);
  }

  /**
   * For tests: evaluates modules again, from the code they have, lets that fail when it is done, and mends what is not as it
   * was. Gives the files that were mended.
   */
  async rollBack(
    app: LoadedApp,
    files: readonly string[],
    generation: number,
    limits: WaitLimits,
  ): Promise<readonly string[] | { readonly error: SerializedError }> {
    const fails = "rolled back as a test";
    const makeOrder = () => ({ ...this.#orderAgain(this.#planAgain(app, files), generation), fails });
    const outcome = await this.#applyUntilCurrent(app, makeOrder, limits);
    // A save is more urgent, and evaluates again what was damaged.
    if (outcome.type === "interrupted") return [];
    if (outcome.type === "ended") return { error: errorOfEnd(outcome.end) };
    if (outcome.type !== "failed") return { error: serializeError(new Error(`${outcome.type}, not ${fails}`)) };
    if (outcome.error.message !== fails) return { error: outcome.error };
    const { damaged } = app;
    await this.mend(app, generation - 1, limits);
    const [left] = app.damaged;
    return left === undefined ? damaged : { error: serializeError(new Error(`${left} cannot be evaluated again`)) };
  }

  #orderFor(app: LoadedApp, { preparation, stays, pending, plan, generation }: Applying): PlanOrder {
    const purged = new Set(plan.purge);
    const modules: PreparedModule[] = [];
    const relinked: PreparedModule[] = [];
    for (const file of preparation.fresh) {
      const module = preparation.modules.get(file);
      if (!module) continue;
      (stays.has(file) && !purged.has(file) ? relinked : modules).push(module);
    }
    return {
      generation,
      purge: plan.purge,
      load: plan.load,
      accepted: plan.accepted,
      pruned: goneFrom(app, pending, preparation),
      modules,
      relinked,
      forget: [...pending.deleted, ...preparation.failures.keys()].filter((file) => !preparation.modules.has(file)),
      classNames: this.#options.monitoring.classNames(),
      lookupsChanged: pending.changesLookups,
      dropped: droppedStatements(
        plan.purge.flatMap((file) => app.modules.get(file)?.compiled ?? []),
        [...new Set([...plan.purge, ...plan.load])].flatMap((file) => preparation.modules.get(file)?.compiled ?? []),
      ),
      drainMs: this.#options.drainMs,
    };
  }

  /**
   * Applies what `makeOrder` says, made again whenever the thread has loaded more meanwhile than was known; undefined: nothing
   * needs to be done.
   */
  #applyUntilCurrent(app: LoadedApp, makeOrder: () => PlanOrder, limits: WaitLimits): Promise<Applied | NotApplied>;
  #applyUntilCurrent(
    app: LoadedApp,
    makeOrder: (isAgain: boolean) => PlanOrder | undefined,
    limits: WaitLimits,
  ): Promise<Applied | NotApplied | Needless>;
  async #applyUntilCurrent(
    app: LoadedApp,
    makeOrder: (isAgain: boolean) => PlanOrder | undefined,
    limits: WaitLimits,
  ): Promise<Applied | NotApplied | Needless> {
    for (let isAgain = false; ; isAgain = true) {
      const order = makeOrder(isAgain);
      if (order === undefined) return { type: "needless" };
      const outcome = await app.epoch.apply(order, limits);
      if (outcome.type === "failed" || outcome.type === "interrupted") app.damage(outcome.damaged);
      if (outcome.type !== "outdated") return outcome;
    }
  }

  /**
   * Modules that were evaluated again may have written into others that were kept, where what they wrote before still is,
   * as nobody knew before the plan: then those are evaluated again, too, with all who write to them and use them. So are
   * kept modules that come in another order now that it is known what the new versions load, and when.
   */
  async #followWrites(
    app: LoadedApp,
    first: AppliedPlans,
    before: ModuleGraph,
    generation: number,
    limits: WaitLimits,
  ): Promise<AppliedPlans | NotApplied> {
    let applied = first;
    let newest = first;
    let graphBefore = before;
    for (;;) {
      let plan: ReloadPlan | undefined;
      let isReordered = false;
      const makeOrder = (): PlanOrder | undefined => {
        const { graph, roots } = app;
        const writers = writersIntoKept(applied).filter((file) => {
          const node = graph.get(file);
          // A module that accepts its own new versions cleans up behind the old ones.
          return node?.evaluated && !node.hot?.self;
        });
        const moved = movedAmong({ graph: graphBefore, next: graph, roots, again: filesOf(newest) });
        isReordered = moved.size > 0;
        const changed = [...new Set([...writers, ...moved])];
        plan = changed.length === 0 ? undefined : this.#planAgain(app, changed);
        return plan && this.#orderAgain(plan, generation);
      };
      const outcome = await this.#applyUntilCurrent(app, makeOrder, limits);
      if (outcome.type === "needless" || plan === undefined) return applied;
      if (outcome.type !== "applied") return outcome;
      this.#swaps.purged(app, plan.purge);
      graphBefore = app.graph;
      app.evaluated(outcome.loaded);
      newest = { ...firstApplied(plan, outcome), isReordered };
      const earlier = applied;
      applied = thenApplied(earlier, newest);
      // A module that accepts its own new versions may go on writing into a kept one.
      if (applied.purged.length === earlier.purged.length) return applied;
    }
  }

  #planAgain(app: LoadedApp, changed: readonly string[]): ReloadPlan {
    return planAgain(app, changed, this.#options.monitoring.recorded);
  }

  /** Evaluates modules again from the code they have. */
  #orderAgain({ purge, load, accepted }: ReloadPlan, generation: number): PlanOrder {
    const nothing = { modules: [], relinked: [], forget: [], lookupsChanged: false };
    return { generation, purge, load, accepted, ...nothing, drainMs: this.#options.drainMs };
  }

  /**
   * Nobody will watch files that nothing leads to. Should a computed specifier lead to one again, the thread has to read it
   * again, and to say so; that is settled before the next request passes. Returns the files.
   */
  async #forgetUnreachable(app: LoadedApp, generation: number, limits: WaitLimits): Promise<string[] | NotApplied> {
    let unreachable = app.unreachable();
    if (unreachable.size === 0) return [];
    const files = (): string[] => {
      // What the thread has evaluated since is in the graph now: it needs its files.
      unreachable = app.unreachable();
      return [...unreachable.keys()];
    };
    const outcome = await this.#forget(app, files, generation, limits);
    return outcome.type === "applied" ? app.forget(unreachable) : outcome;
  }

  /** Has the thread forget files, and what it knows of where specifiers lead. `files` is asked before each attempt. */
  #forget(
    app: LoadedApp,
    files: () => readonly string[],
    generation: number,
    limits: WaitLimits,
  ): Promise<Applied | NotApplied> {
    const nothing = { load: [], modules: [], relinked: [], drainMs: 0 };
    const makeOrder = (): PlanOrder => {
      const lost = files();
      return { ...nothing, generation, purge: lost, forget: lost, pruned: lost, lookupsChanged: true };
    };
    return this.#applyUntilCurrent(app, makeOrder, limits);
  }
}

interface Applying {
  readonly preparation: Preparation;
  /** As of InPlaceDecision. */
  readonly stays: ReadonlySet<string>;
  readonly pending: PendingChanges;
  readonly plan: ReloadPlan;
  readonly generation: number;
}

function notApplied(outcome: NotApplied, preparation: Preparation): InPlaceOutcome {
  switch (outcome.type) {
    case "failed":
      return { type: "failed", error: outcome.error, preparation };
    case "ended":
      return { type: "failed", error: errorOfEnd(outcome.end), preparation };
    case "interrupted":
      return { type: "interrupted", because: outcome.because, preparation };
    case "abandoned":
      return { type: "abandoned", because: outcome.because };
    default:
      return outcome satisfies never;
  }
}
