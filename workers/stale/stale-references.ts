/**
 * Watches what reloads have purged: the scopes of old module versions, and old classes. What is still reachable after the
 * garbage collector had its chance is a stale reference: somebody who outlives the reload holds on to old code. Decides
 * what is worth telling; when to look is decided by StaleCheckSchedule.
 */
import type { MarkedReference, StaleReference } from "../../src/common/protocol/messages.js";

/** Something purged, for as long as anybody else keeps it alive. `marker` is how a heap snapshot shows it. */
export interface Watch {
  readonly marker: string;
  readonly target: { deref(): object | undefined };
}

export interface PurgedVersion {
  readonly file: string;
  /** An object that every function of the version keeps alive; undefined when it has never run. */
  readonly scope: object | undefined;
  readonly classes: readonly { readonly name: string; readonly class: object }[];
}

export interface StaleReferencesOptions {
  /** Lets the garbage collector take all that it can. Not called again before it has settled. */
  collect(): Promise<void>;
  /** Milliseconds; the clock of `oldestInUse`. */
  now(): number;
  /** When the oldest request began that is under way, or the oldest connection that is in use otherwise. */
  oldestInUse(): number | undefined;
  watch(target: object): Watch;
}

export interface StaleCheck {
  /** All that is stale now. */
  readonly references: readonly StaleReference[];
  /** Those to be told: seen for the first time, or twice as many as when they were told last. */
  readonly news: readonly StaleReference[];
  /** Something has to be looked at once more before it can be said to be stale. */
  readonly unsettled: boolean;
}

interface Watched {
  readonly watch: Watch;
  readonly generation: number;
  readonly purgedAt: number;
  /** Checks that it has survived while nothing in use could hold it. */
  survived: number;
}

interface Subject {
  readonly file: string;
  readonly class: string | undefined;
  /** Oldest first. */
  watched: Watched[];
  /** Count when it was told last; 0: never. */
  told: number;
}

/** One check may come too early: a connection that is kept alive for some seconds, a promise that settles late. */
const CHECKS_TO_SURVIVE = 2;
/** A leak of one version per reload goes on for as long as the session does. */
export const WATCHED_PER_SUBJECT = 64;
/** What is in use may hold old code; but a browser tab stays open all day, and nothing would ever be told. */
const IN_USE_MS = 60_000;

export class StaleReferences {
  readonly #options: StaleReferencesOptions;
  /** File and class -> its old versions; an entry goes when none of them is reachable any more. */
  readonly #subjects = new Map<string, Subject>();
  #checking: Promise<StaleCheck> | undefined;

  constructor(options: StaleReferencesOptions) {
    this.#options = options;
  }

  /** Number of objects that are watched. */
  get size(): number {
    let size = 0;
    for (const { watched } of this.#subjects.values()) size += watched.length;
    return size;
  }

  /** From here on these versions should become unreachable. */
  watch(generation: number, versions: Iterable<PurgedVersion>): void {
    for (const { file, scope, classes } of versions) {
      if (scope) this.#add(file, undefined, generation, scope);
      for (const { name, class: target } of classes) this.#add(file, name, generation, target);
    }
  }

  /** Collects, and looks what is left. Concurrent calls share one check. */
  check(): Promise<StaleCheck> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** What is reachable as of the last check, told or not. */
  marked(): MarkedReference[] {
    return [...this.#subjects.values()].map((subject) => ({
      reference: this.#reference(subject, subject.watched),
      markers: subject.watched.map(({ watch }) => watch.marker),
    }));
  }

  async #check(): Promise<StaleCheck> {
    // What is purged during the check has not had its chance.
    const before = new Set([...this.#subjects.values()].flatMap(({ watched }) => watched));
    const inUseSince = this.#options.oldestInUse() ?? Number.POSITIVE_INFINITY;
    await this.#options.collect();
    const now = this.#options.now();
    const references: StaleReference[] = [];
    const news: StaleReference[] = [];
    let unsettled = false;
    for (const [key, subject] of this.#subjects) {
      this.#prune(subject);
      if (subject.watched.length === 0) {
        this.#subjects.delete(key);
        continue;
      }
      for (const watched of subject.watched) {
        const mayBeHeld = inUseSince <= watched.purgedAt && now - watched.purgedAt < IN_USE_MS;
        if (before.has(watched) && !mayBeHeld) watched.survived++;
        if (watched.survived < CHECKS_TO_SURVIVE) unsettled = true;
      }
      const stale = subject.watched.filter(({ survived }) => survived >= CHECKS_TO_SURVIVE);
      if (stale.length === 0) continue;
      const reference = this.#reference(subject, stale);
      references.push(reference);
      if (stale.length < Math.max(1, subject.told * 2)) continue;
      subject.told = stale.length;
      news.push(reference);
    }
    return { references, news, unsettled };
  }

  #add(file: string, name: string | undefined, generation: number, target: object): void {
    const key = JSON.stringify([file, name]);
    let subject = this.#subjects.get(key);
    if (!subject) {
      subject = { file, class: name, watched: [], told: 0 };
      this.#subjects.set(key, subject);
    }
    if (subject.watched.length >= WATCHED_PER_SUBJECT) this.#prune(subject);
    // The oldest tell the age, the newest whether it goes on.
    if (subject.watched.length >= WATCHED_PER_SUBJECT) subject.watched.splice(WATCHED_PER_SUBJECT / 2, 1);
    const purgedAt = this.#options.now();
    subject.watched.push({ watch: this.#options.watch(target), generation, purgedAt, survived: 0 });
  }

  #prune(subject: Subject): void {
    subject.watched = subject.watched.filter(({ watch }) => watch.target.deref() !== undefined);
  }

  #reference(subject: Subject, stale: readonly Watched[]): StaleReference {
    const [oldest] = stale;
    const purgedAt = oldest?.purgedAt ?? 0;
    return {
      file: subject.file,
      ...(subject.class !== undefined && { class: subject.class }),
      generation: oldest?.generation ?? 0,
      count: stale.length,
      ageMs: this.#options.now() - purgedAt,
      inUse: (this.#options.oldestInUse() ?? Number.POSITIVE_INFINITY) <= purgedAt,
    };
  }
}
