/** Counts what became of the saves of a session. */
import { type EditCode, OUTCOMES, type Outcome } from "./edits.js";
import type { ReloadReport } from "./report.js";

/** How many reloads, restarts and failures there were since the start. */
export interface Tally {
  /** All of them together. */
  readonly total: number;
  /** How many came to each outcome. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Codes that have come up. */
  readonly codes: Readonly<Partial<Record<EditCode, number>>>;
}

export const NO_TALLY: Tally = Object.freeze({
  total: 0,
  outcomes: Object.freeze(Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>),
  codes: Object.freeze({}),
});

export function counted({ total, outcomes, codes }: Tally, { code, outcome }: ReloadReport): Tally {
  return {
    total: total + 1,
    outcomes: { ...outcomes, [outcome]: outcomes[outcome] + 1 },
    codes: { ...codes, [code]: (codes[code] ?? 0) + 1 },
  };
}

/** For people. */
export function tallyText({ total, outcomes }: Tally): string {
  const parts = OUTCOMES.filter((outcome) => outcomes[outcome] > 0).map((outcome) => `${outcomes[outcome]} ${outcome}`);
  return `${total} ${total === 1 ? "reload" : "reloads"} since the start: ${parts.join(", ")}`;
}
