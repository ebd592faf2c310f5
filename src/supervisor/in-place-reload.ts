/**
 * Brings a running app to its newest code in the thread that it has: prepares what changed, plans, has the thread apply the
 * plan, and climbs to all own modules when a part of them is not enough. What can only be done with a fresh worker is said.
 */

import type { PreparedModule } from "../common/compile/compiled-module.js";
import type { PlanOrder } from "../common/protocol/messages.js";
import { type SerializedError, serializeError } from "../common/protocol/serialized-error.js";
import type { WaitLimits } from "../common/wait.js";
import type { FileRegistry } from "../files/registry.js";
import { planReload, type ReloadPlan } from "../graph/plan.js";
import type { ResolvedOptions } from "../options/options.js";
import { serializeSourceError } from "../reports/failure.js";
import type { RestartReason } from "../reports/report.js";
import type { ApplyOutcome, Interruption } from "../thread/app-epoch.js";
import { errorOfEnd } from "../thread/app-thread.js";
import { type AppliedPlans, firstApplied, thenApplied, writersIntoKept } from "./applied-plan.js";
import type { LoadedApp } from "./loaded-app.js";
import type { Monitoring } from "./monitoring.js";
import type { PendingChanges } from "./pending.js";
import { importersOfFailures, type Preparation } from "./prepare.js";
import type { Preparer } from "./preparer.js";

export interface InPlaceReloadOptions {
  readonly scope: ResolvedOptions["scope"];
  readonly strictPurge: boolean;
  readonly monitoring: Monitoring;
  readonly preparer: Preparer;
  readonly registry: FileRegistry;
  /** Milliseconds that requests in flight get before the purge. */
  readonly drainMs: number;
}

export type InPlaceOutcome =
  | { readonly type: "unchanged" }
  /** `readers`: modules that were loaded for a file that they had read, each with that file. */
  | { readonly type: "applied"; readonly plans: AppliedPlans; readonly readers: ReadonlyMap<string, string> }
  /** The new code does not compile or link: nothing of the running app was touched. */
  | { readonly type: "unprepared"; readonly error: SerializedError; readonly preparation: Preparation }
  /** The new code throws in this thread, which is back at the versions it had, or has ended. */
  | { readonly type: "failed"; readonly error: SerializedError; readonly preparation: Preparation }
  /** It was given up; the thread is back at the versions it had. */
  | { readonly type: "interrupted"; readonly because: Interruption; readonly preparation: Preparation }
  /** It was given up, and the thread does not answer. */
  | { readonly type: "abandoned"; readonly because: Interruption }
  | { readonly type: "needsRestart"; readonly reason: RestartReason };

type Applied = Extract<ApplyOutcome, { type: "applied" }>;
type NotApplied = Exclude<ApplyOutcome, { type: "applied" | "outdated" }>;

export class InPlaceReload {
  readonly #options: InPlaceReloadOptions;

  constructor(options: InPlaceReloadOptions) {
    this.#options = options;
  }

  /**
   * Brings `app` to the code of the pending changes, as `generation`. `limits`: of each question to the thread. Throws only
   * for bugs.
   */
  async run(app: LoadedApp, pending: PendingChanges, generation: number, limits: WaitLimits): Promise<InPlaceOutcome> {
    const { monitoring, preparer, registry, scope, strictPurge } = this.#options;
    const preparation = preparer.changes(app, pending, monitoring);
    const failure = preparer.failureOf(preparation);
    if (failure) return { type: "unprepared", error: serializeSourceError(failure), preparation };

    const restarting: InPlaceOutcome = { type: "needsRestart", reason: { type: "changed", files: pending.all() } };
    if (app.concernsPackages(pending)) return restarting;

    const known = [...preparation.fresh].filter((file) => app.graph.has(file));
    const changed = new Set(known.filter((file) => !app.hasText(preparation.modules.get(file)?.compiled)));
    const readers = app.readersOf(pending);
    for (const module of [...readers.keys(), ...app.damaged]) changed.add(module);
    // Only late code leads to these, or the failure would have been reported: whoever asks for one next gets the error.
    for (const file of importersOfFailures(preparation)) if (app.graph.get(file)?.evaluated) changed.add(file);
    const invalidated = [...pending.invalidated.keys()].filter((file) => app.graph.get(file)?.evaluated);
    for (const file of invalidated) if (pending.invalidated.get(file)) changed.add(file);
    const { recorded } = monitoring;
    for (const file of [...pending.changed, ...pending.deleted]) {
      if (!app.graph.has(file) && recorded.has(file)) changed.add(file);
    }
    const deleted = new Set(goneFrom(app, pending, preparation));
    const come = monitoring.missing(app.graph);
    if (known.length + changed.size + deleted.size + invalidated.length + come.length === 0) {
      if (pending.added.size + pending.deleted.size === 0) return { type: "unchanged" };
      const outcome = await this.#forget(app, () => [], generation, limits);
      return outcome.type === "applied" ? { type: "unchanged" } : notApplied(outcome, preparation);
    }
    if (scope === "worker") return restarting;
    const planned = (within: "affected" | "app"): ReloadPlan =>
      planReload({
        graph: app.graph,
        next: preparation.graph,
        changed,
        deleted,
        invalidated,
        recorded,
        roots: app.roots,
        scope: within,
      });

    let plan = planned(scope);
    if (plan.declined !== undefined) {
      return { type: "needsRestart", reason: { type: "declined", files: pending.all(), by: plan.declined } };
    }
    const apply = (one: ReloadPlan) => this.#apply(app, { preparation, pending, plan: one, generation, limits });
    let outcome = await apply(plan);
    if (outcome.type === "failed" && scope === "affected") {
      const whole = planned("app");
      if (whole.purge.length > plan.purge.length) {
        plan = whole;
        outcome = await apply(plan);
      }
    }
    if (outcome.type === "outdated") return this.run(app, pending, generation, limits);
    if (outcome.type !== "applied") return notApplied(outcome, preparation);
    const [stuck] = outcome.stuck;
    if (stuck && strictPurge) return { type: "needsRestart", reason: { type: "stuck", ...stuck } };
    const isLess = app.applied(preparation, plan.purge, outcome.loaded);
    const lost = isLess ? await this.#forgetUnreachable(app, generation, limits) : [];
    if ("type" in lost) return notApplied(lost, preparation);
    const followed = await this.#followWrites(app, firstApplied(plan, outcome), generation, limits);
    if ("type" in followed) return notApplied(followed, preparation);
    preparer.trackUsesOnly(app, followed.loaded);
    // The thread may have found a file there again by the time in which it came to it: then that is watched on.
    registry.untrack([...deleted, ...lost].filter((file) => !app.graph.has(file)));
    return { type: "applied", plans: followed, readers };
  }

  /** Evaluates again, from the code they had, the modules that a failed reload has damaged: they go on serving. */
  async mend(app: LoadedApp, generation: number, limits: WaitLimits): Promise<void> {
    const { damaged } = app;
    if (damaged.length === 0) return;
    for (;;) {
      const outcome = await this.#applyAgain(app, this.#planAgain(app, damaged), generation, limits);
      if (outcome.type === "applied") app.mended(outcome.loaded);
      if (outcome.type !== "outdated") return;
    }
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
    const failure = "rolled back as a test";
    for (;;) {
      const outcome = await this.#applyAgain(app, this.#planAgain(app, files), generation, limits, failure);
      if (outcome.type === "outdated") continue;
      // A save is more urgent, and evaluates again what was damaged.
      if (outcome.type === "interrupted") return [];
      if (outcome.type === "ended") return { error: errorOfEnd(outcome.end) };
      if (outcome.type !== "failed") return { error: serializeError(new Error(`${outcome.type}, not ${failure}`)) };
      if (outcome.error.message !== failure) return { error: outcome.error };
      const { damaged } = app;
      await this.mend(app, generation - 1, limits);
      const [left] = app.damaged;
      return left === undefined ? damaged : { error: serializeError(new Error(`${left} cannot be evaluated again`)) };
    }
  }

  async #apply(app: LoadedApp, { preparation, pending, plan, generation, limits }: Applying): Promise<ApplyOutcome> {
    const purged = new Set(plan.purge);
    const modules: PreparedModule[] = [];
    const relinked: PreparedModule[] = [];
    for (const file of preparation.fresh) {
      const module = preparation.modules.get(file);
      if (!module) continue;
      const stays = app.hasText(module.compiled) && !purged.has(file);
      (stays ? relinked : modules).push(module);
    }
    const order: PlanOrder = {
      generation,
      purge: plan.purge,
      load: plan.load,
      accepted: plan.accepted,
      pruned: goneFrom(app, pending, preparation),
      modules,
      relinked,
      forget: [...pending.deleted, ...preparation.failures.keys()].filter((file) => !preparation.modules.has(file)),
      classNames: this.#options.monitoring.classNames(),
      lookupsChanged: pending.added.size + pending.deleted.size > 0,
      drainMs: this.#options.drainMs,
    };
    return this.#send(app, order, limits);
  }

  async #send(app: LoadedApp, order: PlanOrder, limits: WaitLimits): Promise<ApplyOutcome> {
    const outcome = await app.epoch.apply(order, limits);
    if (outcome.type === "failed" || outcome.type === "interrupted") app.damage(outcome.damaged);
    return outcome;
  }

  /** Applies what `makeOrder` says, made anew whenever the thread has loaded more meanwhile than was known. */
  async #applyUntilCurrent(
    app: LoadedApp,
    makeOrder: () => PlanOrder,
    limits: WaitLimits,
  ): Promise<Applied | NotApplied> {
    for (;;) {
      const outcome = await this.#send(app, makeOrder(), limits);
      if (outcome.type !== "outdated") return outcome;
    }
  }

  /**
   * Modules that were evaluated again may have written into others that were kept, where what they wrote before still is,
   * as nobody knew before the plan: then those are evaluated again, too, with all who write to them and use them.
   */
  async #followWrites(
    app: LoadedApp,
    first: AppliedPlans,
    generation: number,
    limits: WaitLimits,
  ): Promise<AppliedPlans | NotApplied> {
    let applied = first;
    for (;;) {
      const changed = writersIntoKept(applied).filter((file) => {
        const node = app.graph.get(file);
        // Whoever accepts its own new versions cleans up behind the old ones.
        return node?.evaluated && !node.hot?.self;
      });
      if (changed.length === 0) return applied;
      const plan = this.#planAgain(app, changed);
      const outcome = await this.#applyAgain(app, plan, generation, limits);
      if (outcome.type === "outdated") continue;
      if (outcome.type !== "applied") return outcome;
      app.evaluated(outcome.loaded);
      const before = applied;
      applied = thenApplied(before, firstApplied(plan, outcome));
      // Whoever accepts its own new versions may go on writing into a kept one.
      if (applied.purged.length === before.purged.length) return applied;
    }
  }

  /** For modules that are to be evaluated again from the code they have. */
  #planAgain({ graph, roots }: LoadedApp, changed: readonly string[]): ReloadPlan {
    const { recorded } = this.#options.monitoring;
    return planReload({ graph, next: graph, changed, deleted: [], recorded, roots, scope: "affected" });
  }

  /** Evaluates modules again from the code they have. */
  #applyAgain(
    app: LoadedApp,
    { purge, load, accepted }: ReloadPlan,
    generation: number,
    limits: WaitLimits,
    fails?: string,
  ): Promise<ApplyOutcome> {
    const failing = fails === undefined ? {} : { fails };
    const nothing = { modules: [], relinked: [], forget: [], lookupsChanged: false, drainMs: this.#options.drainMs };
    return this.#send(app, { generation, purge, load, accepted, ...nothing, ...failing }, limits);
  }

  /**
   * Nobody will watch files that nothing leads to. Should a computed specifier lead to one again, the thread has to read it
   * anew, and to say so; that is settled before the next request passes. Returns the files.
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
  readonly pending: PendingChanges;
  readonly plan: ReloadPlan;
  readonly generation: number;
  readonly limits: WaitLimits;
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

/**
 * Modules whose file is gone. Many a save removes the file and writes it anew: what has come back by the time in which it is
 * compiled is in the preparation, and is watched on.
 */
function goneFrom(app: LoadedApp, { deleted }: PendingChanges, { modules }: Preparation): string[] {
  return [...deleted].filter((file) => app.graph.has(file) && !modules.has(file));
}
