/**
 * The supervisor's life as one union, and what moves it. Pure: the reload cycle acts, this decides what is legal and what
 * a request that begins now must do.
 */
import type { SerializedError } from "../common/protocol/serialized-error.js";

export type State =
  /** A thread is being started and has not evaluated the entry yet; `generation` is the last one that was applied. */
  | { readonly phase: "booting"; readonly epoch: number; readonly generation: number }
  /** The newest code serves. */
  | { readonly phase: "running"; readonly epoch: number; readonly generation: number }
  /** A change is being prepared or applied in the thread `epoch`. */
  | { readonly phase: "reloading"; readonly epoch: number; readonly generation: number }
  /** The newest code is broken. `epoch` is the thread that still holds generation `generation`; undefined: no thread. */
  | {
      readonly phase: "failed";
      readonly epoch: number | undefined;
      readonly generation: number;
      readonly error: SerializedError;
    }
  | { readonly phase: "closing"; readonly generation: number }
  | { readonly phase: "closed"; readonly generation: number };

export type StateEvent =
  | { readonly type: "boot"; readonly epoch: number }
  | { readonly type: "booted"; readonly generation: number }
  | { readonly type: "reload" }
  | { readonly type: "applied"; readonly generation: number }
  /** Nothing had to be applied after all; the code that runs is the newest. */
  | { readonly type: "unchanged" }
  /** The reload was given up for something that comes next; the thread has the code it had. */
  | { readonly type: "interrupted" }
  | { readonly type: "failed"; readonly error: SerializedError; readonly threadAlive: boolean }
  | { readonly type: "close" }
  | { readonly type: "closed" };

/** What a request that begins now must do. */
export type Admission =
  | { readonly type: "pass" }
  | { readonly type: "hold" }
  | { readonly type: "failure"; readonly error: SerializedError }
  | { readonly type: "closing" };

/** The state after `event`. An event that does not fit the phase is a bug and throws. */
export function transition(state: State, event: StateEvent): State {
  // What was under way when it was told to close comes to nothing.
  if (state.phase === "closing" || state.phase === "closed")
    return event.type === "closed" ? { phase: "closed", generation: state.generation } : state;
  switch (event.type) {
    case "boot":
      return { phase: "booting", epoch: event.epoch, generation: state.generation };
    case "booted":
      if (state.phase !== "booting") return illegal(state, event);
      return { phase: "running", epoch: state.epoch, generation: event.generation };
    case "reload":
      if (state.phase === "running") return { ...state, phase: "reloading" };
      if (state.phase === "failed" && state.epoch !== undefined) {
        return { phase: "reloading", epoch: state.epoch, generation: state.generation };
      }
      return illegal(state, event);
    case "applied":
      if (state.phase !== "reloading") return illegal(state, event);
      return { phase: "running", epoch: state.epoch, generation: event.generation };
    case "unchanged":
    case "interrupted":
      if (state.phase !== "reloading") return illegal(state, event);
      return { ...state, phase: "running" };
    case "failed":
      switch (state.phase) {
        case "booting":
          return { phase: "failed", epoch: undefined, generation: state.generation, error: event.error };
        case "reloading":
        case "running":
          return {
            phase: "failed",
            epoch: event.threadAlive ? state.epoch : undefined,
            generation: state.generation,
            error: event.error,
          };
        case "failed":
          return { ...state, error: event.error, epoch: event.threadAlive ? state.epoch : undefined };
        default:
          return state satisfies never;
      }
    case "close":
      return { phase: "closing", generation: state.generation };
    case "closed":
      return { phase: "closed", generation: state.generation };
    default:
      return event satisfies never;
  }
}

/** `lastGood`: while the newest code is broken, the generation that still runs answers. */
export function admission(state: State, lastGood: boolean): Admission {
  switch (state.phase) {
    case "running":
      return { type: "pass" };
    case "booting":
    case "reloading":
      return { type: "hold" };
    case "failed":
      return lastGood && state.epoch !== undefined ? { type: "pass" } : { type: "failure", error: state.error };
    case "closing":
    case "closed":
      return { type: "closing" };
    default:
      return state satisfies never;
  }
}

function illegal(state: State, event: StateEvent): never {
  throw new Error(`the supervisor cannot be told "${event.type}" while it is ${state.phase}`);
}
