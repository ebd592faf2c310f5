/** What `workers/evaluate-here.ts` gives to those who load it by its path: no import leads from src/ to workers/. */
import type { SourceLocation } from "./serialized-error.js";

export type EvaluateHere = (file: string) => Promise<EvaluatedHere>;

export interface EvaluatedHere {
  readonly outcome: EvaluationOutcome;
  /** The file and every file of the project that was loaded with it. */
  readonly files: readonly string[];
}

export type EvaluationOutcome =
  | { readonly type: "evaluated"; readonly exports: object }
  /** `location`: where in the source, when the error says so. */
  | { readonly type: "failed"; readonly error: unknown; readonly location: SourceLocation | undefined };
