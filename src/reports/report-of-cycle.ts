/** What one cycle has come to, as its report. Pure. */
import type { AppliedPlans } from "../supervisor/applied-plan.js";
import type { PendingChanges } from "../supervisor/pending.js";
import type { ReloadReport } from "./report.js";

export interface CycleOutcome {
  readonly kind: ReloadReport["kind"];
  readonly generation: number;
  readonly epoch: number;
  readonly pending: PendingChanges;
  /** Modules of the app that are loaded now. */
  readonly evaluated: number;
  readonly durationMs: number;
  readonly applied?: { readonly plans: AppliedPlans; readonly readers: ReadonlyMap<string, string> } | undefined;
}

export function reportOfCycle(outcome: CycleOutcome): ReloadReport {
  const { kind, generation, epoch, pending, evaluated, durationMs, applied } = outcome;
  const loaded = applied?.plans.loaded.map(({ file }) => file) ?? [];
  return {
    kind,
    generation,
    epoch,
    changed: pending.all(),
    ...(pending.invalidated.size > 0 && { invalidated: [...pending.invalidated.keys()] }),
    purged: applied?.plans.purged ?? [],
    loaded,
    why: applied ? Object.fromEntries(loaded.map((file) => [file, whyLoaded(file, applied)])) : {},
    kept: kind === "restarted" ? 0 : evaluated - loaded.length,
    durationMs,
  };
}

/** The chain that leads from a file to the change; a module that was loaded for a file it had read leads on to that file. */
function whyLoaded(file: string, { plans, readers }: NonNullable<CycleOutcome["applied"]>): string[] {
  const chain = plans.chainOf(file);
  const read = readers.get(chain.at(-1) ?? file);
  return read === undefined || chain.includes(read) ? [...chain] : [...chain, read];
}
