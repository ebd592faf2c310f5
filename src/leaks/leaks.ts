/** What is still alive of purged code: what the thread has found, and what keeps it. */
import type { StaleReferencesReport } from "../reports/report.js";
import type { LoadedApp } from "../supervisor/loaded-app.js";
import type { Preparer } from "../supervisor/preparer.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { explainLeak } from "./explain-leak.js";
import type { HolderPlace } from "./heap/function-place.js";
import type { LeakReport } from "./leak-report.js";

export interface LeaksOptions {
  /** For snapshots: private to this supervisor. */
  readonly folder: string;
  readonly preparer: Preparer;
  /** The app that serves. */
  app(): LoadedApp | undefined;
  /** The cycle that is under way. */
  cycle(): Promise<unknown> | undefined;
  onNews(report: StaleReferencesReport): void;
}

export class Leaks {
  readonly #with: LeaksOptions;
  #references: readonly StaleReferencesReport[] = [];
  #explaining: Promise<LeakReport[]> | undefined;

  constructor(options: LeaksOptions) {
    this.#with = options;
  }

  /** As of the last look. */
  get references(): readonly StaleReferencesReport[] {
    return this.#references;
  }

  /** A fresh thread has nothing purged. */
  forget(): void {
    this.#references = [];
  }

  /** The thread has looked. */
  found(epoch: AppEpoch, references: readonly StaleReferencesReport[], news: readonly StaleReferencesReport[]): void {
    if (this.#with.app()?.epoch !== epoch) return;
    this.#references = references;
    for (const report of news) this.#with.onNews(report);
  }

  async check(): Promise<readonly StaleReferencesReport[]> {
    const epoch = await this.#servingEpoch();
    return (await epoch?.checkStaleReferences()) ?? [];
  }

  /** Concurrent calls share one snapshot. */
  explain(): Promise<LeakReport[]> {
    this.#explaining ??= this.#explain().finally(() => {
      this.#explaining = undefined;
    });
    return this.#explaining;
  }

  async #explain(): Promise<LeakReport[]> {
    const epoch = await this.#servingEpoch();
    if (!epoch) return [];
    return explainLeak(epoch, { folder: this.#with.folder, locate: (place) => this.#locate(place) });
  }

  /** The thread that serves, when no reload is under way. */
  async #servingEpoch(): Promise<AppEpoch | undefined> {
    for (let cycle = this.#with.cycle(); cycle; cycle = this.#with.cycle()) await cycle;
    return this.#with.app()?.epoch;
  }

  /** To the line: the old version's columns are not worth the newest text's. */
  #locate({ file, line, column }: HolderPlace): HolderPlace {
    if (line === undefined) return { file };
    const compiled = this.#with.app()?.modules.get(file)?.compiled;
    if (!compiled || column === undefined) return { file, line };
    return { file, line: this.#with.preparer.locate(compiled, { line, column }).line };
  }
}
