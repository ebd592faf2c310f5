/**
 * Watches the heartbeats of the app's threads. A thread that does not beat is blocked: by an endless loop, or by work that
 * takes long. It is told where; when it lasts, so that the requests can be answered; and when it is over.
 *
 * Nothing is said while a debugger has stopped the thread, while it has not begun to beat (it loads its runtime), while it
 * does work of the supervisor's own, and of time in which this thread did not run either: a machine that slept, a host
 * that blocks, a process that was stopped.
 */
import { BLOCKED_MS, TOLD_AFTER_MS } from "../common/deadlines.js";
import type { SourceLocation } from "../common/protocol/serialized-error.js";
import { BEAT_MS, type ThreadBoard } from "../common/protocol/thread-board.js";
import type { StuckPlace } from "./stuck-place.js";
import type { Inspected, SourceFrame } from "./thread-inspection.js";

/** A look at what a thread runs that can be ended at any time. */
export interface Inspection {
  readonly answer: Promise<Inspected>;
  release(): void;
}

export interface WatchedThread {
  readonly epoch: number;
  readonly board: Pick<ThreadBoard, "beats" | "excused">;
  /** A reload has purged modules in it: it may be running what they have begun. */
  readonly hasPurged: boolean;
  inspect(): Inspection;
  locate(found: SourceFrame): SourceLocation;
  /** Where in the source that is. */
  place(found: Inspected & { type: "running" }): StuckPlace;
}

/** What is known of a thread that is blocked. */
export interface BusyReport {
  readonly epoch: number;
  /** Milliseconds since it was seen to beat last. */
  readonly blockedMs: number;
  /** Undefined: it could not be found out. */
  readonly place: StuckPlace | undefined;
}

export interface WatchdogOptions {
  /** A thread that is blocked for so long, in milliseconds, is not waited for. */
  readonly limitMs: number | "off";
  /** Told after 2 s and after 10 s. */
  busy(report: BusyReport): void;
  /** Its requests shall be answered without it. Again when the place is known that was not known before. */
  blocked(report: BusyReport): void;
  /** It beats again. */
  free(epoch: number): void;
  /** It is blocked by code of a purged version, for which no save will come. Told at each look that finds it so. */
  purgedRuns(epoch: number, location: SourceLocation): void;
  /** For tests. In milliseconds; absent: the process's own. */
  readonly now?: () => number;
}

/** How often it is looked. */
const LOOK_MS = 250;
/** If a look comes later than this, this thread was not running, and the other one may not have been either. */
const LATE_MS = 3 * LOOK_MS;
/** A thread beats every 250 ms; a busy machine makes that late. */
const LEAST_LIMIT_MS = 4 * BEAT_MS;
/** A busy machine may not find the place in time: the page of a thread that is blocked gets it later. */
const LOOK_AGAIN_MS = 2000;
/** A thread that a debugger has stopped is left alone for so long. */
const STOPPED_MS = 10_000;

interface Watched {
  readonly thread: WatchedThread;
  beats: number;
  /** When it was seen to beat last. */
  since: number;
  /** How many of `TOLD_AFTER_MS` were told. */
  told: number;
  blocked: boolean;
  /** Where it was seen last, since it beat. */
  place: StuckPlace | undefined;
  /** When it is looked again for the place of a thread that is blocked. */
  lookAgainAt: number;
  /** How long it has to be silent to be looked at for purged code. */
  nextPurgedMs: number;
  /** A debugger has stopped it; not before then is it looked again. */
  leftAloneUntil: number;
  inspection: Inspection | undefined;
}

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #now: () => number;
  readonly #limitMs: number;
  /** By epoch; from `watch` to `unwatch`. */
  readonly #watched = new Map<number, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #lastLook = 0;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#limitMs = options.limitMs === "off" ? Number.POSITIVE_INFINITY : Math.max(options.limitMs, LEAST_LIMIT_MS);
  }

  watch(thread: WatchedThread): void {
    const since = this.#now();
    const { beats } = thread.board;
    const state = {
      beats,
      since,
      told: 0,
      blocked: false,
      place: undefined,
      lookAgainAt: 0,
      nextPurgedMs: BLOCKED_MS,
      leftAloneUntil: 0,
      inspection: undefined,
    };
    this.#watched.set(thread.epoch, { thread, ...state });
    if (this.#timer) return;
    this.#lastLook = since;
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** The thread has ended. Idempotent. */
  unwatch(epoch: number): void {
    this.release(epoch);
    this.#watched.delete(epoch);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The thread is about to be ended by force: it must not stand still for a look. */
  release(epoch: number): void {
    this.#watched.get(epoch)?.inspection?.release();
  }

  /** Whether the thread is taken for blocked. */
  isBlocked(epoch: number): boolean {
    return this.#watched.get(epoch)?.blocked === true;
  }

  /** How long the thread has not been seen to beat, in milliseconds; 0 while it beats, or is not watched. */
  blockedMs(epoch: number): number {
    const watched = this.#watched.get(epoch);
    if (!watched || watched.beats !== watched.thread.board.beats) return 0;
    const now = this.#now();
    // As in `look`, which would be late.
    if (now - this.#lastLook > LATE_MS) return 0;
    const silent = now - watched.since;
    return silent < LEAST_LIMIT_MS ? 0 : silent;
  }

  /** Where the thread is now, for who waits for it; undefined when it cannot be found out. */
  async whereIs(epoch: number): Promise<StuckPlace | undefined> {
    const watched = this.#watched.get(epoch);
    const found = watched && (await this.#inspect(watched));
    return found?.type === "running" ? watched?.thread.place(found) : undefined;
  }

  close(): void {
    for (const epoch of [...this.#watched.keys()]) this.unwatch(epoch);
  }

  /** Called by the timer; by tests, with a clock of their own. */
  look(): void {
    const now = this.#now();
    const late = now - this.#lastLook > LATE_MS;
    this.#lastLook = now;
    for (const watched of this.#watched.values()) {
      const { beats, excused } = watched.thread.board;
      if (late || excused || beats === 0 || beats !== watched.beats) this.#countFromNow(watched, beats, now);
      else if (now >= watched.leftAloneUntil && watched.inspection === undefined) void this.#judge(watched, now);
    }
  }

  #countFromNow(watched: Watched, beats: number, now: number): void {
    const beaten = beats !== watched.beats;
    watched.beats = beats;
    watched.since = now;
    watched.leftAloneUntil = 0;
    if (!beaten) return;
    watched.told = 0;
    watched.nextPurgedMs = BLOCKED_MS;
    watched.place = undefined;
    if (!watched.blocked) return;
    watched.blocked = false;
    this.#options.free(watched.thread.epoch);
  }

  async #judge(watched: Watched, now: number): Promise<void> {
    const { epoch } = watched.thread;
    const due = this.#due(watched, now);
    if (!due.tell && !due.block && !due.look && !due.purged) return;
    const { beats, since } = watched;
    const found = await this.#inspect(watched);
    if (this.#watched.get(epoch) !== watched || watched.thread.board.beats !== beats || watched.since !== since) return;
    if (found.type === "stopped") {
      watched.leftAloneUntil = this.#now() + STOPPED_MS;
      watched.since = watched.leftAloneUntil;
      return;
    }
    const before = watched.place;
    if (found.type === "running") watched.place = watched.thread.place(found);
    watched.lookAgainAt = this.#now() + LOOK_AGAIN_MS;
    const { place } = watched;
    // Purged code may come to its turn behind other code that is slow. A chain of microtasks or ticks shows the app's own
    // code in some looks only: between two of its turns Node's is on the stack alone.
    const isBetweenTurns = found.type === "running" && place?.location === undefined;
    if (due.purged && !isBetweenTurns) watched.nextPurgedMs *= 2;
    const report: BusyReport = { epoch, blockedMs: now - since, place };
    if (due.block || (watched.blocked && before === undefined && place !== undefined)) {
      watched.blocked = true;
      this.#options.blocked(report);
    }
    if (due.tell) {
      watched.told = TOLD_AFTER_MS.filter((ms) => now - since >= ms).length;
      this.#options.busy(report);
    }
    if (found.type === "running" && found.purged) this.#options.purgedRuns(epoch, watched.thread.locate(found.purged));
  }

  #due({ thread, since, told, blocked, place, lookAgainAt, nextPurgedMs }: Watched, now: number) {
    const silent = now - since;
    const next = TOLD_AFTER_MS[told];
    return {
      tell: next !== undefined && silent >= next,
      block: !blocked && silent >= this.#limitMs,
      look: blocked && place === undefined && now >= lookAgainAt,
      purged: thread.hasPurged && silent >= nextPurgedMs,
    };
  }

  /** One look at a time: who asks meanwhile gets the same answer. */
  #inspect(watched: Watched): Promise<Inspected> {
    if (!watched.inspection) {
      const inspection = watched.thread.inspect();
      watched.inspection = inspection;
      void inspection.answer.finally(() => {
        watched.inspection = undefined;
      });
    }
    return watched.inspection.answer;
  }
}
