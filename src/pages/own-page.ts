/** What the supervisor says in place of the app, before it is written down for anybody. */
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { FailureReport } from "../reports/report.js";

export interface OwnPage {
  readonly status: 500 | 502 | 503 | 504;
  /** All of it as plain text, for who may see it all. */
  readonly text: string;
  /** What the page is about. */
  readonly error?: SerializedError;
  /** What the app wrote last, when it has ended. */
  readonly lastLines?: readonly string[];
  /** The supervisor ends as well. */
  readonly isLast?: boolean;
  /** Of a start or a reload that has failed. */
  readonly failure?: PageFailure;
}

export interface PageFailure {
  readonly report: FailureReport;
  readonly onError: "page" | "last-good";
  /** Undefined: nothing has worked yet, so nothing was edited. */
  readonly age?: FailureAge | undefined;
}

/** Whether the last edit has brought a failure, or it was there before. */
export interface FailureAge {
  readonly isNew: boolean;
  /** The generation that was loaded when it came; 0: none yet. */
  readonly sinceGeneration: number;
}
