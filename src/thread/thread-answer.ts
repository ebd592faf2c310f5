/** What a thread answers to the questions that it is asked, and what that means for a start and for a plan. */
import type { LoadedModule, WorkerReport } from "../common/protocol/messages.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { ThreadEnd } from "./app-thread.js";

type AnswerType =
  | "evaluated"
  | "evaluateFailed"
  | "planApplied"
  | "planOutdated"
  | "planFailed"
  | "callReturned"
  | "callFailed"
  | "waitsTold"
  | "createdTold"
  | "signalDelivered"
  | "signalOver"
  | "staleReferencesChecked"
  | "heapSnapshotWritten";

/** What answers a question to the thread; its end does, too. */
export type ThreadAnswer =
  | Extract<WorkerReport, { type: AnswerType }>
  | { readonly type: "ended"; readonly end: ThreadEnd };

export type BootOutcome =
  | {
      readonly type: "booted";
      readonly loaded: readonly LoadedModule[];
      readonly serves: "listening" | "exported" | "pending";
      /** A module has thrown, and the app goes on without it. */
      readonly isPartial: boolean;
    }
  | { readonly type: "failed"; readonly loaded: readonly LoadedModule[]; readonly error: SerializedError }
  | { readonly type: "ended"; readonly end: ThreadEnd }
  /** Nobody waits for it any more, by the caller's signal or by the deadline of all starts. */
  | { readonly type: "abandoned"; readonly because: "aborted" | "late" };

export type ApplyOutcome =
  | {
      readonly type: "applied";
      readonly loaded: readonly LoadedModule[];
      readonly purged: readonly { file: string; classes: string[] }[];
      /** What purged files have left in packages. */
      readonly stuck: readonly {
        readonly file: string;
        readonly what: string;
        readonly decides?: string | undefined;
      }[];
      /** What a purged module has done to a package, and is not done any more. */
      readonly left?: { readonly file: string; readonly what: string } | undefined;
    }
  /** Nothing was done, since the graph was not up to date; now it is. */
  | { readonly type: "outdated" }
  /** The worker is back at the versions it had. `damaged`: see `planFailed`. */
  | { readonly type: "failed"; readonly error: SerializedError; readonly damaged: readonly string[] }
  /** It was told to give the plan up, and is back at the versions it had. */
  | { readonly type: "interrupted"; readonly because: Interruption; readonly damaged: readonly string[] }
  /** It was told to give the plan up, and does not answer: it cannot be used any more. */
  | { readonly type: "abandoned"; readonly because: Interruption }
  | { readonly type: "ended"; readonly end: ThreadEnd };

/** Why a plan was given up: by the caller's signal, by its deadline, or because the thread is blocked. */
export type Interruption = "aborted" | "late" | "blocked";

export function bootOutcome(answer: ThreadAnswer): BootOutcome {
  switch (answer.type) {
    case "evaluated":
      return { type: "booted", loaded: answer.loaded, serves: answer.serves, isPartial: answer.isPartial };
    case "evaluateFailed":
      return { type: "failed", loaded: answer.loaded, error: answer.error };
    case "ended":
      return answer;
    default:
      throw new Error(`the thread cannot answer a start with "${answer.type}"`);
  }
}

export function applyOutcome(answer: ThreadAnswer): ApplyOutcome {
  switch (answer.type) {
    case "planApplied":
      return { type: "applied", loaded: answer.loaded, purged: answer.purged, stuck: answer.stuck, left: answer.left };
    case "planOutdated":
      return { type: "outdated" };
    case "planFailed":
      return { type: "failed", error: answer.error, damaged: answer.damaged };
    case "ended":
      return answer;
    default:
      throw new Error(`the thread cannot answer a plan with "${answer.type}"`);
  }
}
