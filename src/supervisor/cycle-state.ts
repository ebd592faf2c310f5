/** What the steps of a cycle share: the app and how it stands, what is to be taken in, and what has been. */
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { RestartReason } from "../reports/report.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import type { LoadedApp } from "./loaded-app.js";
import { PendingChanges } from "./pending.js";
import { type Admission, admission, type State, type StateEvent, transition } from "./state.js";

export class CycleState {
  /** The phase, or what goes with it, may be another one. */
  readonly #onMove: () => void;
  #state: State = { phase: "booting", epoch: 1, generation: 0 };
  /** The app that serves, or that would if the newest code were not broken. */
  app: LoadedApp | undefined;
  /** What the cycle under way takes in, or what has failed. */
  readonly pending = new PendingChanges();
  /** Why the app gets a fresh worker next. */
  restartReason: RestartReason | undefined;
  /** The app is started again by itself, since it has ended; until somebody saves, or asks. */
  isRetry = false;
  /** A thread that did not answer: it may finish what it has begun, and gets nothing else. */
  left: AppEpoch | undefined;
  /** Nothing is begun any more. */
  closing = false;
  /** The files whose changes were taken in last, and when that was, on the clock of `performance.now()`. */
  #takenIn: { readonly files: readonly string[]; readonly at: number } = { files: [], at: 0 };

  constructor(onMove: () => void) {
    this.#onMove = onMove;
  }

  get phase(): State["phase"] {
    return this.#state.phase;
  }

  get generation(): number {
    return this.#state.generation;
  }

  /** Number of the thread that has the generation; undefined: there is none. */
  get epoch(): number | undefined {
    return "epoch" in this.#state ? this.#state.epoch : undefined;
  }

  /** Why the newest code is not loaded. */
  get failure(): SerializedError | undefined {
    return this.#state.phase === "failed" ? this.#state.error : undefined;
  }

  /** What a request that is held waits for, in words. */
  get waitingFor(): string {
    switch (this.phase) {
      case "booting":
        return "the app to start";
      case "reloading":
        return "a reload";
      default:
        return "a server of the app";
    }
  }

  get takenIn(): { readonly files: readonly string[]; readonly at: number } {
    return this.#takenIn;
  }

  /** Throws for an event that does not fit the phase. */
  move(event: StateEvent): void {
    this.#state = transition(this.#state, event);
    this.#onMove();
  }

  admission(lastGood: boolean): Admission {
    return admission(this.#state, lastGood);
  }

  /** Whether the thread of `app` can take in changes. */
  isUsable({ epoch }: LoadedApp): boolean {
    return epoch.alive && epoch !== this.left;
  }

  /** Whether this thread serves the newest code, or is being brought to it. A fresh one for code that is broken would fail. */
  serves(epoch: number): boolean {
    if (this.closing || this.app?.epoch.number !== epoch) return false;
    return this.phase === "running" || this.phase === "reloading";
  }

  /** Number of the thread that serves, and lives. */
  get runs(): number | undefined {
    return this.phase === "running" && this.app?.epoch.alive ? this.app.epoch.number : undefined;
  }

  /** The app has had nothing left to do: it runs again when somebody saves. */
  get isOver(): boolean {
    return this.app?.epoch.over?.type === "ended";
  }

  /** What was pending is in the app now. */
  takeIn(): void {
    this.#takenIn = { files: this.pending.all(), at: performance.now() };
    this.pending.clear();
  }
}
