/**
 * Proves from a history that no answer was older than it may be. The history is a list of events in the order in which
 * one process, in which both writers and clients live, saw them: so "before" needs no clock.
 */
export type Versions = Readonly<Record<string, number>>;

export type HistoryEvent =
  /** A save of `version` begins: from now on it, or half of it, may be seen. `whole`: nobody can see half of it. */
  | {
      readonly type: "saving";
      readonly file: string;
      readonly version: number;
      readonly whole: boolean;
      readonly way?: string;
    }
  | { readonly type: "saved"; readonly file: string; readonly version: number }
  | { readonly type: "asked"; readonly request: number }
  | { readonly type: "answered"; readonly request: number; readonly versions: Versions }
  /** The supervisor answered by itself. */
  | { readonly type: "page"; readonly request: number; readonly status: number }
  | { readonly type: "lost"; readonly request: number; readonly why: string }
  /** Something is done to the app on purpose that it cannot answer through. */
  | { readonly type: "fault"; readonly fault: string }
  | { readonly type: "healed"; readonly fault: string }
  /** What the supervisor printed, for who reads the history. */
  | { readonly type: "line"; readonly line: string };

export interface HistoryCheck {
  readonly violations: readonly string[];
  readonly answers: number;
  readonly pages: number;
  readonly lost: number;
  readonly saves: number;
  /** Answers to requests that were under way while a save returned: the interesting ones. */
  readonly raced: number;
}

interface Asked {
  /** For each file the version below which the answer may not be. */
  readonly floor: Versions;
  /** What had come to its end when it was asked: faults, half-done saves, saves. */
  readonly faultsBefore: number;
  readonly halvesBefore: number;
  readonly savesBefore: number;
}

/**
 * The rules:
 * - an answer shows, for each file, at least the newest version whose save had returned when the request was asked, and at
 *   least what an answer that came before it was asked has shown;
 * - it shows only versions whose save had begun;
 * - a page, or a lost connection, is given only to requests that were under way together with a fault, or, a page, with a
 *   save that could be seen half done;
 * - each request has one outcome.
 */
export function checkHistory(events: Iterable<HistoryEvent>): HistoryCheck {
  const violations: string[] = [];
  const floor: Record<string, number> = {};
  const begunSaves: Record<string, number> = {};
  const asked = new Map<number, Asked>();
  const faults = new Map<string, number>();
  let halfDone = 0;
  let faultEnds = 0;
  let halfEnds = 0;
  const counts = { answers: 0, pages: 0, lost: 0, saves: 0, raced: 0 };
  const wholeOf = new Map<string, boolean>();

  const outcome = (request: number): Asked | undefined => {
    const found = asked.get(request);
    if (found === undefined) violations.push(`request ${request} has more than one outcome, or was never asked`);
    asked.delete(request);
    return found;
  };
  const isFaulty = ({ faultsBefore }: Asked) => faults.size > 0 || faultEnds > faultsBefore;

  for (const event of events) {
    switch (event.type) {
      case "saving":
        begunSaves[event.file] = event.version;
        wholeOf.set(event.file, event.whole);
        if (!event.whole) halfDone++;
        break;
      case "saved":
        floor[event.file] = Math.max(floor[event.file] ?? 0, event.version);
        counts.saves++;
        if (wholeOf.get(event.file) === false) {
          halfDone--;
          halfEnds++;
        }
        break;
      case "asked":
        asked.set(event.request, {
          floor: { ...floor },
          faultsBefore: faultEnds,
          halvesBefore: halfEnds,
          savesBefore: counts.saves,
        });
        break;
      case "answered": {
        const found = outcome(event.request);
        if (found === undefined) break;
        counts.answers++;
        if (found.savesBefore < counts.saves) counts.raced++;
        for (const [file, least] of Object.entries(found.floor)) {
          const shown = event.versions[file];
          if (shown === undefined || shown < least)
            violations.push(
              `request ${event.request}: ${file} ${shown} was answered, ${least} was there when it was asked`,
            );
        }
        for (const [file, version] of Object.entries(event.versions)) {
          if (version > (begunSaves[file] ?? 0))
            violations.push(
              `request ${event.request}: ${file} ${version} was answered, which nobody had begun to save`,
            );
          // What has been seen by one must be seen by all who ask later.
          floor[file] = Math.max(floor[file] ?? 0, version);
        }
        break;
      }
      case "page": {
        const found = outcome(event.request);
        counts.pages++;
        if (found && !isFaulty(found) && halfDone === 0 && halfEnds === found.halvesBefore)
          violations.push(`request ${event.request}: a page ${event.status} without a fault or a half-done save`);
        break;
      }
      case "lost": {
        counts.lost++;
        const found = outcome(event.request);
        if (found && !isFaulty(found)) violations.push(`request ${event.request}: lost (${event.why}) without a fault`);
        break;
      }
      case "fault":
        faults.set(event.fault, (faults.get(event.fault) ?? 0) + 1);
        break;
      case "line":
        break;
      case "healed": {
        const left = (faults.get(event.fault) ?? 0) - 1;
        if (left > 0) faults.set(event.fault, left);
        else faults.delete(event.fault);
        faultEnds++;
        break;
      }
    }
  }
  for (const request of asked.keys()) violations.push(`request ${request} was never answered`);
  return { violations, ...counts };
}
