/** What an edit of a file would reload, before anybody makes it. Pure. */
import { isBelowPackages } from "../common/paths.js";
import { planReload } from "../graph/plan.js";
import type { RecordedEdges } from "../graph/recorded.js";
import type { ResolvedOptions } from "../options/options.js";
import { type EditCode, editText, farthest, type Outcome, outcomeOf } from "../reports/edits.js";
import { configCode, editCodes, readCode } from "./edit-codes.js";
import type { LoadedApp } from "./loaded-app.js";
import { PendingChanges } from "./pending.js";

export interface EditPlan {
  readonly file: string;
  /** Of docs/edits.md, and its words. */
  readonly code: EditCode;
  readonly outcome: Outcome;
  readonly text: string;
  /** Modules that would be purged, importers first, and evaluated, in order; what these ask for comes with them. */
  readonly purge: readonly string[];
  readonly load: readonly string[];
  /** Modules that would be left alone. */
  readonly kept: number;
  /** For each of `purge` and `load` the files that lead from it to this one. */
  readonly why: Readonly<Record<string, readonly string[]>>;
}

export interface EditSituation {
  readonly app: LoadedApp;
  readonly recorded: RecordedEdges;
  readonly scope: ResolvedOptions["scope"];
  readonly envFiles: readonly string[];
  /** Whether the file decides how the app is started. */
  readonly isConfig: boolean;
}

export function planOfEdit(file: string, { app, recorded, scope, envFiles, isConfig }: EditSituation): EditPlan {
  const { graph, roots } = app;
  const pending = new PendingChanges();
  pending.changed.add(file);
  const without = (code: EditCode): EditPlan => {
    const outcome = outcomeOf(code);
    const kept = outcome === "fresh worker" ? 0 : graph.evaluatedCount;
    return { file, code, outcome, text: editText(code), purge: [], load: [], kept, why: {} };
  };
  if (isConfig) return without(configCode([file], envFiles));
  if (isBelowPackages(file)) return without("UR50");
  if (app.concernsPackages(pending)) return without(readCode([file]));
  const readers = app.readersOf(pending);
  const changed = [...readers.keys()];
  if (graph.has(file) || recorded.has(file)) changed.push(file);
  if (changed.length === 0) return without("UR00");
  if (scope === "worker") return without("UR55");
  if (app.isPrimary) return without("UR57");
  if (app.isPartial) return without("UR58");
  const within = scope === "function" ? "affected" : scope;
  const plan = planReload({ graph, next: graph, changed, deleted: [], recorded, roots, scope: within });
  if (plan.declined !== undefined) return without("UR56");
  const codes = editCodes({ pending, plan, graph, stays: new Set(), readers, recorded, scope, isDamaged: false });
  const code = farthest(codes.values());
  const files = [...new Set([...plan.purge, ...plan.load])];
  const read = (chain: readonly string[]): readonly string[] => {
    const cause = readers.get(chain.at(-1) ?? "");
    return cause === undefined || chain.includes(cause) ? chain : [...chain, cause];
  };
  return {
    ...without(code),
    purge: plan.purge,
    load: plan.load,
    kept: graph.evaluatedCount - plan.purge.length,
    why: Object.fromEntries(files.map((each) => [each, read(plan.why.get(each) ?? [each])])),
  };
}
