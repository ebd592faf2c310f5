/** What the front asks before a new request may pass to the app. */
import type { OwnPage } from "./own-pages.js";

export type Verdict = { readonly type: "pass" } | { readonly type: "page"; readonly page: OwnPage };

export interface Gate {
  /**
   * Called for each new request, one turn of the event loop after its first bytes came in, so that a file event that was
   * there before them has been seen. Answers at once when nothing is stale: the fast path makes no promise. A promise
   * holds the request until it settles. `isAgain`: it has been asked for this request before.
   */
  check(isAgain?: boolean): Verdict | Promise<Verdict>;
  /** What a held request waits for, to follow "it waits for ": "src/db.ts, which is being evaluated". */
  waitingFor?(): string | undefined;
}

export const PASS: Verdict = { type: "pass" };
