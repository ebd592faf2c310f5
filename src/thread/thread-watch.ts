/**
 * What main knows of the app's threads without their help: which of them is blocked, where, and what a thread that is not
 * blocked waits for. Has it told, and gives the requests of a blocked thread their page.
 */
import { fileURLToPath } from "node:url";
import type { CompiledModule } from "../common/compile/compiled-module.js";
import { originalPlace } from "../common/compile/original-place.js";
import type { EncodedSourceMap } from "../common/compile/source-map.js";
import { TraceMap } from "../common/compile/trace-map.js";
import { PLACE_MS, TAKE_OVER_MS, WAITS_TOLD_MS } from "../common/deadlines.js";
import type { ThreadWait } from "../common/protocol/messages.js";
import type { SourceLocation } from "../common/protocol/serialized-error.js";
import type { ThreadBoard } from "../common/protocol/thread-board.js";
import { wait } from "../common/wait.js";
import type { Verdict } from "../front/turn.js";
import type { OwnPage } from "../pages/own-page.js";
import type { Described } from "../reports/progress.js";
import { type WaitContext, waitedFor, waitText } from "../reports/wait-text.js";
import { blockedPage, busyLine, busyText } from "./busy-text.js";
import { mayBeOwn, nearestOwnFrame, ownLocation, type PlaceContext, stuckPlace } from "./stuck-place.js";
import { type StackFrame, ThreadInspection } from "./thread-inspection.js";
import { type BusyReport, Watchdog } from "./watchdog.js";

export interface WatchedEpoch {
  readonly number: number;
  readonly board: ThreadBoard;
  /** A reload has purged modules in it. */
  readonly hasPurged: boolean;
  /** What it waits for; undefined: it does not say so within `deadlineMs`. */
  waits(deadlineMs: number): Promise<readonly ThreadWait[] | undefined>;
}

export interface ThreadWatchOptions {
  /** Project root: what lies in it is shown relative to it. */
  readonly root: string;
  /** Folder that places in lines are relative to. */
  readonly cwd: string;
  readonly limitMs: number | "off";
  /** Versions of an own file that a thread may be running, likeliest first; none when the file is not the app's. */
  versions(epoch: number, file: string): readonly CompiledModule[];
  /** Files that lead to this one, nearest first. */
  importersOf(epoch: number, file: string): readonly string[];
  sourceMap(compiled: CompiledModule): EncodedSourceMap;
  warn(message: string): void;
  /** What the thread has begun gets the page. Without one: it beats again. */
  blocked(epoch: number, page: OwnPage | undefined): void;
  /** The thread is blocked by code of a purged version: what was begun before a reload, and does not come to an end. */
  purgedRuns(epoch: number, location: SourceLocation): void;
}

/** The supervisor's own code, and what it is built on, below `dist`. */
const OWN_FOLDERS = [fileURLToPath(new URL("../../", import.meta.url))];

export class ThreadWatch {
  readonly #options: ThreadWatchOptions;
  readonly #watchdog: Watchdog;
  /** By epoch, oldest first; from its start to its end. */
  readonly #epochs = new Map<number, WatchedEpoch>();
  /** Epoch -> what its requests get; while it is blocked. */
  readonly #pages = new Map<number, OwnPage>();
  /** Who is held, to be told that the newest thread is blocked. */
  readonly #held = new Set<(page: OwnPage) => void>();

  constructor(options: ThreadWatchOptions) {
    this.#options = options;
    this.#watchdog = new Watchdog({
      limitMs: options.limitMs,
      busy: (report) => options.warn(busyLine(report, options)),
      blocked: (report) => this.#blocked(report),
      free: (epoch) => this.#free(epoch),
      purgedRuns: (epoch, location) => options.purgedRuns(epoch, location),
    });
  }

  started(epoch: WatchedEpoch): void {
    const { number, board } = epoch;
    this.#epochs.set(number, epoch);
    const context = this.#placeContext(number);
    this.#watchdog.watch({
      epoch: number,
      board,
      get hasPurged() {
        return epoch.hasPurged;
      },
      inspect: () => {
        board.isLookedAt = true;
        const inspection = new ThreadInspection({
          threadId: board.threadId,
          deadlineMs: PLACE_MS,
          pick: (frames) => nearestOwnFrame(frames, context),
          ...(epoch.hasPurged && { mayBePurged: (frame: StackFrame) => mayBeOwn(frame, context) }),
        });
        void inspection.answer.finally(() => {
          board.isLookedAt = false;
        });
        return inspection;
      },
      locate: (found) => ownLocation(found, context),
      place: ({ frames, source }) => stuckPlace(frames, source, context),
    });
  }

  /** How long the thread has been seen not to beat, in milliseconds; 0 while it beats. */
  silentMs(epoch: number): number {
    return this.#watchdog.blockedMs(epoch);
  }

  /** The thread is about to be ended by force: nothing may make it stand still. */
  forced(epoch: number): void {
    // Not only now: one that is silent because it is being ended would be looked at next.
    this.#watchdog.unwatch(epoch);
  }

  ended(epoch: number): void {
    this.#epochs.delete(epoch);
    this.#watchdog.unwatch(epoch);
    if (this.#pages.delete(epoch)) this.#options.blocked(epoch, undefined);
  }

  /**
   * What a request does that the gate has let pass, or holds. `serving`: the epoch that would answer it. A thread that is
   * blocked answers nobody, and one that is blocked while it is started or reloaded lets everybody wait.
   */
  verdict(admitted: Verdict | Promise<Verdict>, serving: number | undefined): Verdict | Promise<Verdict> {
    if (admitted instanceof Promise) return this.#unlessBlocked(admitted);
    return this.#answerFor(serving, admitted);
  }

  /** What the gate has said, or the page of `epoch` if that does not answer those whom the gate lets pass. */
  #answerFor(epoch: number | undefined, admitted: Verdict): Verdict {
    const page = epoch === undefined ? undefined : this.#pages.get(epoch);
    return admitted.type === "pass" && page !== undefined ? { type: "page", page } : admitted;
  }

  /** What is waited for in the newest thread that waits for something: an older one finishes what it has begun. */
  async describe(): Promise<Described | undefined> {
    for (const epoch of [...this.#epochs.values()].reverse()) {
      const { number } = epoch;
      const told = await epoch.waits(WAITS_TOLD_MS);
      if (told === undefined) {
        const busy = await this.#busyText(number);
        if (busy !== undefined) return { line: busy, waitedFor: `the app: ${busy}`, isTold: true };
        continue;
      }
      const line = waitText(told, this.#waitContext(number));
      if (line !== undefined) return { line, waitedFor: waitedFor(line), isTold: false };
    }
    return undefined;
  }

  close(): void {
    this.#watchdog.close();
    this.#epochs.clear();
  }

  async #busyText(epoch: number): Promise<string | undefined> {
    const blockedMs = this.#watchdog.blockedMs(epoch);
    if (blockedMs === 0) return undefined;
    const place = await this.#watchdog.whereIs(epoch);
    return busyText({ epoch, blockedMs, place }, this.#options);
  }

  /** It was blocked before: a save lets a fresh thread take its place, which takes a moment. */
  async #unlessReplaced(admitted: Promise<Verdict>, blocked: number | undefined): Promise<Verdict> {
    const waited = await wait(admitted, { deadlineMs: TAKE_OVER_MS });
    const newest = [...this.#epochs.keys()].at(-1);
    // The file that was saved had the same text as before, or none that is loaded: no fresh thread takes its place.
    if (waited.type === "settled") return this.#answerFor(newest, waited.value);
    const page = newest === blocked && newest !== undefined ? this.#pages.get(newest) : undefined;
    return page === undefined ? this.#unlessBlocked(admitted) : { type: "page", page };
  }

  /** Held until the cycle is over, or the newest thread is given up on. */
  #unlessBlocked(admitted: Promise<Verdict>): Promise<Verdict> {
    const newest = [...this.#epochs.keys()].at(-1);
    const page = newest === undefined ? undefined : this.#pages.get(newest);
    if (page !== undefined) return this.#unlessReplaced(admitted, newest);
    return new Promise((resolve, reject) => {
      const onBlocked = (found: OwnPage): void => resolve({ type: "page", page: found });
      this.#held.add(onBlocked);
      admitted.finally(() => this.#held.delete(onBlocked)).then(resolve, reject);
    });
  }

  #blocked(report: BusyReport): void {
    const page = blockedPage(report, this.#options);
    this.#pages.set(report.epoch, page);
    this.#options.blocked(report.epoch, page);
    if (report.epoch !== [...this.#epochs.keys()].at(-1)) return;
    for (const tell of this.#held) tell(page);
    this.#held.clear();
  }

  #free(epoch: number): void {
    this.#pages.delete(epoch);
    this.#options.blocked(epoch, undefined);
  }

  #placeContext(epoch: number): PlaceContext {
    const { root, versions, sourceMap } = this.#options;
    return {
      root,
      ownFolders: OWN_FOLDERS,
      versions: (file) => versions(epoch, file),
      mapOf: (compiled) => new TraceMap(sourceMap(compiled) as never),
    };
  }

  #waitContext(epoch: number): WaitContext {
    const { cwd, versions, importersOf, sourceMap } = this.#options;
    return {
      cwd,
      importersOf: (file) => importersOf(epoch, file),
      locate: (file, hash, position) => {
        const compiled = versions(epoch, file).find((version) => version.hash === hash);
        if (compiled === undefined) return { file, ...position };
        return { file, ...originalPlace(compiled, position, () => new TraceMap(sourceMap(compiled) as never)) };
      },
    };
  }
}
