/** Starts an app again that has ended by itself, or that could not start: at once, after a while, or not before a save. */
import { LACK_MS } from "../common/deadlines.js";
import { reviveError, type SerializedError } from "../common/protocol/serialized-error.js";
import type { Front } from "../front/front.js";
import type { RestartReason } from "../reports/report.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { errorOfEnd, type UnexpectedEnd } from "../thread/app-thread.js";
import { CrashBackOff } from "./crash-back-off.js";
import type { CycleParts } from "./cycle-parts.js";

export interface CrashRestartsOptions {
  readonly front: Front;
  readonly emit: CycleParts["emit"];
  startAgain(reason: RestartReason): void;
}

export class CrashRestarts {
  readonly #options: CrashRestartsOptions;
  readonly #backOff = new CrashBackOff();
  #bootedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CrashRestartsOptions) {
    this.#options = options;
  }

  get isLooping(): boolean {
    return this.#backOff.isLooping;
  }

  /** Somebody has saved a file, or asked for a fresh worker: it may be mended. */
  forgive(): void {
    this.#backOff.forgive();
  }

  /** The app has started. */
  booted(): void {
    this.#bootedAt = performance.now();
  }

  /**
   * The thread of the app has ended without having been told to. Tells that, and returns in how many milliseconds the app is
   * started again; undefined: when somebody saves a file. `reloading`: a reload that is under way goes on with a fresh one at once.
   */
  ended(epoch: AppEpoch, end: UnexpectedEnd, reloading: boolean): number | undefined {
    const { front, emit } = this.#options;
    const wasAnswering = front.hasBegun(epoch.number) || epoch.calls.size > 0;
    const delayMs = reloading ? 0 : this.#delayAfter(end, wasAnswering);
    front.workerDied(epoch.number, reviveError(errorOfEnd(end)));
    const next = delayMs === undefined ? "waiting for a change" : "restarting";
    const afterMs = delayMs !== undefined && delayMs > 0 ? { afterMs: delayMs } : {};
    emit("worker-exit", { epoch: epoch.number, cause: end, next, ...afterMs });
    return delayMs;
  }

  #delayAfter(end: UnexpectedEnd, wasAnswering: boolean): number | undefined {
    return this.#backOff.next({
      livedMs: performance.now() - this.#bootedAt,
      wasAnswering,
      listened: this.#options.front.addresses().length > 0,
      code: codeOf(end),
    });
  }

  /** Nothing can be done about an app that ends itself while it starts but to try it again, a few times. */
  startFailed(end: UnexpectedEnd): void {
    const delayMs = this.#backOff.next({ livedMs: 0, wasAnswering: false, listened: false, code: codeOf(end) });
    if (delayMs !== undefined) {
      const when = delayMs === 0 ? "at once" : `in ${delayMs / 1000} s`;
      const message = `the app ended while it started: it is started again ${when}`;
      this.#options.emit("log", { level: "info", message });
    }
    this.startAgainAfter(delayMs);
  }

  /** It could not start for want of descriptors: that is no fault of the code, and no save will mend it. */
  lacksDescriptors(error: SerializedError): void {
    if (this.#timer === undefined) this.startAgainAfter(LACK_MS, { type: "reloadFailed", error });
  }

  /** Undefined: it is not started again by this. */
  startAgainAfter(delayMs: number | undefined, reason: RestartReason = { type: "workerExit" }): void {
    this.stop();
    if (delayMs !== undefined) this.#timer = setTimeout(() => this.#options.startAgain(reason), delayMs);
  }

  /** It is started now, or never again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function codeOf(end: UnexpectedEnd): number | undefined {
  return end.type === "exited" ? end.code : undefined;
}
