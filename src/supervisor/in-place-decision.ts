/** What pending changes mean for a running app: whether its thread can take them in, and which modules that is about. Pure. */
import { isSameCode } from "../common/compile/same-code.js";
import type { ModuleGraph } from "../graph/module-graph.js";
import { planReload, type ReloadPlan } from "../graph/plan.js";
import type { RecordedEdges } from "../graph/recorded.js";
import type { ResolvedOptions } from "../options/options.js";
import type { EditCode } from "../reports/edits.js";
import type { RestartReason } from "../reports/report.js";
import { type EditCodes, editCodes, readCode } from "./edit-codes.js";
import type { LoadedApp } from "./loaded-app.js";
import type { PendingChanges } from "./pending.js";
import { importersOfFailures, type Preparation } from "./prepare.js";

export interface InPlaceSituation {
  readonly app: LoadedApp;
  readonly pending: PendingChanges;
  readonly preparation: Preparation;
  readonly recorded: RecordedEdges;
  /** Monitored files that are not loaded yet. */
  readonly missing: readonly string[];
  readonly scope: ResolvedOptions["scope"];
  /** A debugger knows the thread's scripts by the places of the text that they were evaluated from. */
  readonly isInspected: boolean;
}

export type InPlaceDecision =
  | { readonly type: "unchanged" }
  /** No module is concerned, but specifiers may lead elsewhere now. */
  | { readonly type: "lookupsChanged"; readonly preparation: Preparation }
  | { readonly type: "needsRestart"; readonly reason: RestartReason }
  | {
      readonly type: "apply";
      readonly plan: ReloadPlan;
      /** All own modules, for when `plan` fails. */
      planOfAll(): ReloadPlan;
      readonly preparation: Preparation;
      /** Those that are fresh in it, and run the code that it has for them. */
      readonly stays: ReadonlySet<string>;
      readonly deleted: ReadonlySet<string>;
      /** Modules that are loaded for a file that they had read, each with that file. */
      readonly readers: ReadonlyMap<string, string>;
      readonly edits: EditCodes;
    };

export function decideInPlace(situation: InPlaceSituation): InPlaceDecision {
  const { app, pending, preparation, recorded, missing, scope } = situation;
  const stays = new Set([...preparation.fresh].filter((file) => hasCode(situation, file)));
  const needsFresh = (code: EditCode): InPlaceDecision => ({
    type: "needsRestart",
    reason: { type: "changed", files: pending.all(), code },
  });
  if (app.concernsPackages(pending)) return needsFresh(readCode(pending.all()));

  const known = [...preparation.fresh].filter((file) => app.graph.has(file));
  const readers = app.readersOf(pending);
  const invalidated = [...pending.invalidated.keys()].filter((file) => app.graph.get(file)?.evaluated);
  const changed = changedModules(situation, stays, readers, invalidated);
  const deleted = new Set(goneFrom(app, pending, preparation));
  if (known.length + changed.size + deleted.size + invalidated.length + missing.length === 0)
    return pending.changesLookups ? { type: "lookupsChanged", preparation } : { type: "unchanged" };
  // The workers of a cluster are counted from 1 on, and set up, once in the life of a thread.
  if (scope === "worker") return needsFresh("UR55");
  if (app.isPrimary) return needsFresh("UR57");
  if (app.isPartial) return needsFresh("UR58");

  const { graph, roots } = app;
  const planned = (within: "affected" | "app"): ReloadPlan =>
    planReload({ graph, next: preparation.graph, changed, deleted, invalidated, recorded, roots, scope: within });
  const plan = planned(scope === "function" ? "affected" : scope);
  if (plan.declined !== undefined)
    return { type: "needsRestart", reason: { type: "declined", files: pending.all(), by: plan.declined } };
  const isDamaged = app.damaged.length > 0;
  const edits = editCodes({ pending, plan, graph, stays, readers, recorded, scope, isDamaged });
  return { type: "apply", plan, planOfAll: () => planned("app"), preparation, stays, deleted, readers, edits };
}

/** The thread runs the code of this preparation, perhaps of another text. */
function hasCode({ app, preparation, recorded, scope, isInspected }: InPlaceSituation, file: string): boolean {
  const { compiled } = preparation.modules.get(file) ?? {};
  if (app.hasText(compiled)) return true;
  const before = app.modules.get(file)?.compiled;
  const node = app.graph.get(file);
  if (scope !== "affected" || isInspected || !compiled || !before || !node?.evaluated) return false;
  return isSameCode(before, compiled) && !recorded.has(file) && !isAccepted(app.graph, file);
}

/** By itself or by somebody else, who wants to be told of its changes. */
export function isAccepted(graph: ModuleGraph, file: string): boolean {
  if (graph.get(file)?.hot) return true;
  return [...graph.files()].some((other) => graph.get(other)?.hot?.dependencies.includes(file));
}

function changedModules(
  { app, pending, preparation, recorded }: InPlaceSituation,
  stays: ReadonlySet<string>,
  readers: ReadonlyMap<string, string>,
  invalidated: readonly string[],
): Set<string> {
  const changed = new Set([...preparation.fresh].filter((file) => app.graph.has(file) && !stays.has(file)));
  for (const module of [...readers.keys(), ...app.damaged]) changed.add(module);
  // Only late code leads to these, or the failure would have been reported: who asks for one next gets the error.
  for (const file of importersOfFailures(preparation)) if (app.graph.get(file)?.evaluated) changed.add(file);
  for (const file of invalidated) if (pending.invalidated.get(file)) changed.add(file);
  for (const file of [...pending.changed, ...pending.deleted])
    if (!app.graph.has(file) && recorded.has(file)) changed.add(file);
  return changed;
}

/** For modules that are to be evaluated again from the code they have. */
export function planAgain(
  { graph, roots }: { readonly graph: ModuleGraph; readonly roots: readonly string[] },
  changed: readonly string[],
  recorded: RecordedEdges,
): ReloadPlan {
  return planReload({ graph, next: graph, changed, deleted: [], recorded, roots, scope: "affected" });
}

/**
 * Modules whose file is gone. Many a save removes the file and writes it again: what has come back by the time in which it is
 * compiled is in the preparation, and is watched on.
 */
export function goneFrom(app: LoadedApp, { deleted }: PendingChanges, { modules }: Preparation): string[] {
  return [...deleted].filter((file) => app.graph.has(file) && !modules.has(file));
}
