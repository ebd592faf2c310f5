/** The reports of a cycle and, for the log level `debug`, the steps that it took. */
import type { ModuleGraph } from "../graph/module-graph.js";
import type { ResolvedOptions } from "../options/options.js";
import type { AppliedPlans } from "../supervisor/applied-plan.js";
import type { CycleState } from "../supervisor/cycle-state.js";
import type { CycleReport, ReloadReport } from "./report.js";
import { type CycleOutcome, reportOfCycle } from "./report-of-cycle.js";
import { appliedSteps, changeSteps } from "./steps.js";

export interface CycleReportsOptions {
  readonly options: Pick<ResolvedOptions, "logLevel" | "root">;
  readonly state: CycleState;
  /** Number of the newest thread. */
  lastEpoch(): number;
  debug(message: string): void;
}

export class CycleReports {
  readonly #with: CycleReportsOptions;

  constructor(options: CycleReportsOptions) {
    this.#with = options;
  }

  /** `started`: when the cycle began, on the clock of `performance.now()`. */
  report<Kind extends "unchanged" | "reloaded" | "restarted">(
    kind: Kind,
    started: number,
    applied?: CycleOutcome["applied"],
  ): CycleReport & { readonly kind: Kind } {
    return { ...this.facts(kind, started, applied), kind };
  }

  /** What reports of every kind have. */
  facts(kind: ReloadReport["kind"], started: number, applied: CycleOutcome["applied"] = "UR00"): CycleReport {
    const { state } = this.#with;
    return reportOfCycle({
      kind,
      generation: state.generation,
      epoch: state.app?.epoch.number ?? this.#with.lastEpoch(),
      pending: state.pending,
      evaluated: state.app?.size ?? 0,
      durationMs: performance.now() - started,
      applied,
    });
  }

  tellChanges(): void {
    const { options, state } = this.#with;
    if (options.logLevel === "debug") this.#tell(changeSteps(state.pending, options.root));
  }

  /** `before`: the graph as it was when the reload began; undefined at a start. */
  tellApplied(
    { purged, loaded }: Pick<AppliedPlans, "purged" | "loaded">,
    { why }: Pick<ReloadReport, "why">,
    before: ModuleGraph | undefined,
  ): void {
    const { options } = this.#with;
    if (options.logLevel !== "debug") return;
    const observedBefore = (file: string) => before?.get(file)?.observed;
    this.#tell(appliedSteps({ purged, loaded, why, observedBefore }, options.root));
  }

  #tell(messages: readonly string[]): void {
    for (const message of messages) this.#with.debug(message);
  }
}
