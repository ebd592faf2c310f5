/**
 * What happened in an episode of the command line's fuzzer, and what it allows: which versions were saved when, which
 * times were troubled by what was done on purpose, and what became of each request.
 */
import type { AskKind } from "./fuzz-cli-steps.js";
import type { Outcome } from "./raw-http.js";

export type Versions = Readonly<Record<string, number>>;

export interface Violation {
  readonly rule:
    | "refused"
    | "lost"
    | "late"
    | "stale"
    | "mixed"
    | "page"
    | "twice"
    | "wrong answer"
    | "unasked bytes"
    | "no recovery"
    | "slow recovery"
    | "slow end"
    | "wrong end"
    | "left over"
    | "descriptors"
    | "memory"
    | "start";
  readonly what: string;
}

/** A time in which the app could not be expected to answer everything. Milliseconds of `performance.now()`. */
export interface Trouble {
  readonly cause: string;
  readonly from: number;
  to: number | undefined;
  /** The request that makes it. It may be held for long before the app begins it. */
  readonly request: AskRecord | undefined;
}

export interface AskRecord {
  readonly id: string;
  readonly kind: AskKind | "probe";
  readonly n: number;
  readonly begun: number;
  /** The newest versions whose save had returned when the request began. */
  readonly saved: Versions;
  /** The newest versions that an answer had shown when it began. */
  readonly shown: Versions;
  ended: number | undefined;
  outcome: Outcome | undefined;
}

export class History {
  readonly troubles: Trouble[] = [];
  readonly records: AskRecord[] = [];
  /** Newest version of each module whose save has returned. */
  readonly #saved: Record<string, number> = {};
  /** Newest version of each module that an answer has shown. */
  readonly #shown: Record<string, number> = {};

  savedVersion(module: string): number {
    return this.#saved[module] ?? 0;
  }

  saveReturned(module: string, version: number): void {
    this.#saved[module] = version;
  }

  /** Now. */
  versions(): { saved: Versions; shown: Versions } {
    return { saved: { ...this.#saved }, shown: { ...this.#shown } };
  }

  show(versions: Versions): void {
    for (const [module, version] of Object.entries(versions))
      this.#shown[module] = Math.max(this.#shown[module] ?? 0, version);
  }

  openTrouble(cause: string, request?: AskRecord): Trouble {
    const trouble: Trouble = { cause, from: performance.now(), to: undefined, request };
    this.troubles.push(trouble);
    return trouble;
  }

  /** Ends all troubles that `fits` says, now. */
  closeTroubles(fits: (trouble: Trouble) => boolean): void {
    for (const trouble of this.troubles) if (trouble.to === undefined && fits(trouble)) trouble.to = performance.now();
  }

  openCauses(): string[] {
    return [...new Set(this.troubles.filter(({ to }) => to === undefined).map(({ cause }) => cause))];
  }

  /** Causes of trouble at any time of the request. */
  causesDuring(record: AskRecord): string[] {
    const end = record.ended ?? performance.now();
    return this.troubles
      .filter(({ from, to }) => from <= end && (to === undefined || to >= record.begun))
      .map(({ cause }) => cause);
  }
}

interface AppAnswer {
  readonly id: string;
  readonly begun: Versions;
  readonly ended: Versions;
  readonly size?: number;
}

/** Requests that may go unanswered, or end in the middle, when the app's worker is replaced. */
const ENDLESS: readonly string[] = ["never", "events"];

/** Causes that end the whole process. */
const DYING: readonly string[] = ["die", "dying-later"];

/** The rule that the outcome of a request breaks, if any. `lastGood`: older code may answer while the newest is broken. */
export function judge(record: AskRecord, history: History, lastGood: boolean): Violation | undefined {
  const { outcome, kind, id } = record;
  if (outcome === undefined) return undefined;
  const causes = history.causesDuring(record);
  const told = `${kind} ${id}, after ${Math.round((record.ended ?? 0) - record.begun)} ms, troubled by: ${causes.join(", ") || "nothing"}`;
  const crowded = causes.includes("crowded");
  switch (outcome.type) {
    case "refused":
      return { rule: "refused", what: told };
    case "abandoned":
    case "unprocessed":
      return undefined;
    case "lost":
      if (ENDLESS.includes(kind) || crowded) return undefined;
      // What the process has is cut off with it.
      if (causes.some((cause) => DYING.includes(cause))) return undefined;
      if (outcome.begun && causes.length > 0) return undefined;
      return { rule: "lost", what: `${told}: ${outcome.why}${outcome.begun ? ", in the middle of the answer" : ""}` };
    case "answer":
      return judgeAnswer(record, outcome, causes, told, history, lastGood);
  }
}

function judgeAnswer(
  record: AskRecord,
  { status, headers, body }: Outcome & { type: "answer" },
  causes: readonly string[],
  told: string,
  history: History,
  lastGood: boolean,
): Violation | undefined {
  if (headers.get("x-app") !== "1" && status !== 101) {
    if (causes.length > 0 && [500, 502, 503, 504].includes(status)) return undefined;
    if (ENDLESS.includes(record.kind) && status >= 502) return undefined;
    return { rule: "page", what: `${told}: ${status} ${body.slice(0, 600)}` };
  }
  if (record.kind === "upgrade" || record.kind === "events") return undefined;
  const answer = parseAnswer(body.slice(body.indexOf("{")));
  if (answer === undefined || answer.id !== record.id)
    return { rule: "wrong answer", what: `${told}: ${status} ${body.slice(0, 300)}` };
  if (record.kind === "upload" && answer.size !== record.n)
    return { rule: "wrong answer", what: `${told}: ${answer.size} of ${record.n} bytes arrived` };
  const floor = lastGood && causes.length > 0 ? record.shown : record.saved;
  for (const [module, version] of Object.entries(floor)) {
    const shown = answer.begun[module];
    // A module that is empty for the moment has no version.
    if (shown === undefined && causes.length > 0) continue;
    if (shown === undefined || shown < version)
      return { rule: "stale", what: `${told}: ${module} ${shown} answered after ${version} had been saved` };
  }
  history.show(answer.begun);
  if (causes.length === 0 && JSON.stringify(answer.begun) !== JSON.stringify(answer.ended))
    return {
      rule: "mixed",
      what: `${told}: begun by ${JSON.stringify(answer.begun)}, ended by ${JSON.stringify(answer.ended)}`,
    };
  return undefined;
}

function parseAnswer(body: string): AppAnswer | undefined {
  try {
    return JSON.parse(body) as AppAnswer;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether the app's answer `body` is made by these versions, or newer ones. */
export function isMadeBy(body: string, versions: Versions): boolean {
  const answer = parseAnswer(body);
  return Object.entries(versions).every(([module, version]) => (answer?.begun[module] ?? -1) >= version);
}

/** Ids that the app began more than once. */
export function begunTwice(log: string): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const id of log.split("\n")) {
    if (id === "") continue;
    if (seen.has(id)) twice.push(id);
    seen.add(id);
  }
  return twice;
}
