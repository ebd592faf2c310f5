/** Why each file was loaded last. */
import type { ReloadReport } from "../reports/report.js";

export interface LastLoad {
  readonly kind: ReloadReport["kind"];
  readonly generation: number;
  readonly epoch: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly code: ReloadReport["code"];
  readonly outcome: ReloadReport["outcome"];
  readonly changed: readonly string[];
  /** From the file to the change; of a fresh worker, which has loaded all, only the file. */
  readonly chain: readonly string[];
}

interface Told {
  readonly report: ReloadReport;
  readonly at: number;
}

export class ReloadHistory {
  /** File to the last reload that has loaded it; emptied by a fresh worker. */
  readonly #reloads = new Map<string, Told>();
  /** The start of the worker that runs. */
  #start: Told | undefined;

  add(report: ReloadReport, at = Date.now()): void {
    switch (report.kind) {
      case "restarted":
        this.#reloads.clear();
        this.#start = { report, at };
        break;
      case "reloaded":
        for (const file of [...report.loaded, ...(report.swapped ?? []).map((swapped) => swapped.file)])
          this.#reloads.set(file, { report, at });
        break;
      case "failed":
      case "unchanged":
        break;
      default:
        report satisfies never;
    }
  }

  /** Undefined: nothing has been loaded so far. `file`: one that is loaded. */
  of(file: string): LastLoad | undefined {
    const told = this.#reloads.get(file) ?? this.#start;
    if (told === undefined) return undefined;
    const { kind, generation, epoch, code, outcome, changed, why } = told.report;
    return { kind, generation, epoch, at: told.at, code, outcome, changed, chain: why[file] ?? [file] };
  }
}
