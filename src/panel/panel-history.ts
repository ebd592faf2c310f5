/** The reloads of a session, for the panel's plot: the newest of them. */
import { shownPath } from "../common/paths.js";
import type { ReloadReport } from "../reports/report.js";
import type { PanelReload } from "./panel-state.js";

const KEPT = 500;
const NAMED = 5;

export class PanelHistory {
  readonly #root: string;
  #reloads: PanelReload[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  add(report: ReloadReport, at = Date.now()): void {
    if (report.kind === "unchanged") return;
    const { kind, code, outcome, generation, epoch, changed, loaded, kept, swapped = [], durationMs, error } = report;
    this.#reloads.push({
      at,
      kind,
      code,
      outcome,
      generation,
      epoch,
      changed: changed.slice(0, NAMED).map((file) => shownPath(file, this.#root)),
      changedCount: changed.length,
      loaded: loaded.length,
      kept,
      swapped: swapped.reduce((sum, { functions }) => sum + functions.length, 0),
      durationMs: Math.round(durationMs * 10) / 10,
      message: error?.message ?? null,
    });
    if (this.#reloads.length > KEPT) this.#reloads = this.#reloads.slice(-KEPT);
  }

  get reloads(): readonly PanelReload[] {
    return this.#reloads;
  }
}
