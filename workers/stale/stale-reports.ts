/** Stale references of this thread: looks for them now and then, and when the supervisor asks, and reports. */
import { rmSync } from "node:fs";
import v8 from "node:v8";
import type { StaleReference, WorkerReport } from "../../src/common/protocol/messages.js";
import { serializeError } from "../../src/common/protocol/serialized-error.js";
import { UnreloaderWatchedReference } from "../../src/common/protocol/watched-reference.js";
import { OWN_THREAD_ID } from "../main-thread/own-thread.js";
import type { ModuleVersion } from "../runtime/module-record.js";
import { garbageCollector } from "./collect-garbage.js";
import { StaleCheckSchedule } from "./stale-check-schedule.js";
import { type PurgedVersion, type StaleCheck, StaleReferences } from "./stale-references.js";

export interface StaleReportsOptions {
  /** Runs what blocks the thread for long, and is not the app's fault. */
  whileBlocked<Result>(run: () => Result): Result;
  send(report: WorkerReport): void;
  /** Clock of requests, in milliseconds. */
  now(): number;
  busy(): boolean;
  /** See StaleReferencesOptions. */
  oldestInUse(): number | undefined;
}

/** A version that a plan purges, and what its classes are before they go. */
export interface VersionToPurge {
  readonly version: ModuleVersion;
  readonly classes: PurgedVersion["classes"];
  /** Some of its classes are reopened: their instances go on, and with them the scope that the classes came from. */
  readonly reopened: boolean;
}

interface StuckEntry {
  readonly file: string;
  readonly what: string;
  /** Of the first purge that left it there. */
  readonly generation: number;
  readonly stuckAt: number;
  count: number;
  /** Count when it was told last. */
  told: number;
}

export class StaleReports {
  readonly #options: StaleReportsOptions;
  readonly #references: StaleReferences;
  readonly #schedule: StaleCheckSchedule;
  /** File and entry -> what packages did not let go of; it stays for as long as this thread. */
  readonly #stuck = new Map<string, StuckEntry>();
  #lastMarker = 0;
  #reported: StaleCheck | undefined;

  constructor(options: StaleReportsOptions) {
    this.#options = options;
    this.#references = new StaleReferences({
      collect: garbageCollector(),
      now: options.now,
      oldestInUse: options.oldestInUse,
      watch: (target) => new UnreloaderWatchedReference(`unreloader ${OWN_THREAD_ID} ${++this.#lastMarker}`, target),
    });
    this.#schedule = new StaleCheckSchedule({
      now: () => performance.now(),
      busy: options.busy,
      check: () => this.#look(undefined),
      after: (ms, run) => {
        const timer = setTimeout(run, ms).unref();
        return () => clearTimeout(timer);
      },
    });
  }

  /** A plan was applied that purged these versions for good. */
  purged(generation: number, versions: readonly VersionToPurge[]): void {
    const watched = versions.map(({ version, classes, reopened }) => ({
      file: version.record.file,
      scope: reopened ? undefined : version.scope,
      classes,
    }));
    for (const { version } of versions) {
      version.scope = undefined;
      if (version.kind === "esm") version.release();
    }
    this.#references.watch(generation, watched);
    if (this.#references.size > 0) this.#schedule.reloaded();
  }

  /** A plan was applied, and these entries of purged files have stayed in packages. Told at once: nobody will remove them. */
  stuck(generation: number, entries: readonly { readonly file: string; readonly what: string }[]): void {
    const now = this.#options.now();
    const news: StuckEntry[] = [];
    for (const { file, what } of entries) {
      const key = JSON.stringify([file, what]);
      const entry = this.#stuck.get(key) ?? { file, what, generation, stuckAt: now, count: 0, told: 0 };
      this.#stuck.set(key, entry);
      entry.count++;
      if (entry.count < Math.max(1, entry.told * 2)) continue;
      entry.told = entry.count;
      news.push(entry);
    }
    if (news.length > 0)
      this.#tell(
        undefined,
        this.#reported?.references ?? [],
        news.map((entry) => this.#referenceOf(entry)),
      );
  }

  #referenceOf({ file, what, generation, count, stuckAt }: StuckEntry): StaleReference {
    return { file, entry: what, generation, count, ageMs: this.#options.now() - stuckAt, inUse: false };
  }

  #tell(requestId: number | undefined, found: readonly StaleReference[], news: readonly StaleReference[]): void {
    const stuck = [...this.#stuck.values()].map((entry) => this.#referenceOf(entry));
    this.#options.send({
      type: "staleReferencesChecked",
      ...(requestId !== undefined && { requestId }),
      references: [...found, ...stuck],
      news: [...news],
    });
  }

  /** Looks now; the answer has `requestId`. */
  async check(requestId: number): Promise<void> {
    await this.#look(requestId);
  }

  /** Looks now, and writes a snapshot of the heap to `file` if anything is stale. Stops this thread for seconds. */
  async snapshot(requestId: number, file: string): Promise<void> {
    await this.#look(undefined);
    // What was looked at through a WeakRef is held until this turn is over.
    await new Promise((resolve) => setImmediate(resolve));
    const marked = this.#references.marked();
    const answer = { type: "heapSnapshotWritten", requestId, marked } as const;
    try {
      if (marked.length > 0) this.#options.whileBlocked(() => v8.writeHeapSnapshot(file));
      this.#options.send(answer);
    } catch (error) {
      rmSync(file, { force: true });
      this.#options.send({ ...answer, error: serializeError(error) });
    }
  }

  close(): void {
    this.#schedule.close();
  }

  async #look(requestId: number | undefined): Promise<boolean> {
    const check = await this.#references.check();
    const { references, unsettled } = check;
    // Who looks at the same time gets the same answer, and news are told once.
    const news = check === this.#reported ? [] : check.news;
    this.#reported = check;
    this.#tell(requestId, references, news);
    return unsettled;
  }
}
