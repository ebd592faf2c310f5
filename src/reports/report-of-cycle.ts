/** What one cycle has come to, as its report. Pure. */
import type { AppliedPlans } from "../supervisor/applied-plan.js";
import type { EditCodes } from "../supervisor/edit-codes.js";
import type { PendingChanges } from "../supervisor/pending.js";
import { type EditCode, farthest, outcomeOf } from "./edits.js";
import type { CycleReport, ReloadReport, SwappedFile } from "./report.js";

export interface CycleOutcome {
  readonly kind: ReloadReport["kind"];
  readonly generation: number;
  readonly epoch: number;
  readonly pending: PendingChanges;
  /** Modules of the app that are loaded now. */
  readonly evaluated: number;
  readonly durationMs: number;
  /** What was applied; or the code of what was done instead. */
  readonly applied: Applied | EditCode;
}

interface Applied {
  readonly plans: AppliedPlans;
  readonly readers: ReadonlyMap<string, string>;
  readonly edits: EditCodes;
  readonly swapped?: readonly SwappedFile[];
}

export function reportOfCycle(outcome: CycleOutcome): CycleReport {
  const { kind, generation, epoch, pending, evaluated, durationMs } = outcome;
  const applied = typeof outcome.applied === "string" ? undefined : outcome.applied;
  const code = typeof outcome.applied === "string" ? outcome.applied : farthest(outcome.applied.edits.values());
  const changed = pending.all();
  const loaded = applied?.plans.loaded.map(({ file }) => file) ?? [];
  return {
    generation,
    epoch,
    code,
    outcome: outcomeOf(code),
    edits: [...new Set([...changed, ...pending.invalidated.keys()])].map((file) => ({
      file,
      code: applied?.edits.get(file) ?? code,
    })),
    changed,
    ...(pending.invalidated.size > 0 && { invalidated: [...pending.invalidated.keys()] }),
    purged: applied?.plans.purged ?? [],
    loaded,
    ...(applied?.swapped && { swapped: applied.swapped }),
    why: applied ? Object.fromEntries(loaded.map((file) => [file, whyLoaded(file, applied)])) : {},
    kept: kind === "restarted" ? 0 : evaluated - loaded.length,
    durationMs,
  };
}

/** The chain that leads from a file to the change; a module that was loaded for a file it had read leads on to that file. */
function whyLoaded(file: string, { plans, readers }: Applied): string[] {
  const chain = plans.chainOf(file);
  const read = readers.get(chain.at(-1) ?? file);
  return read === undefined || chain.includes(read) ? [...chain] : [...chain, read];
}
