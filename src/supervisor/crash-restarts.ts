/** Starts an app again that has ended by itself, or that could not start: at once, after a while, or not before a save. */
import { LACK_MS } from "../common/deadlines.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import { LAST_LINES } from "../reports/failure.js";
import type { RestartReason } from "../reports/report.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { errorOfEnd, exitCodeOf, type UnexpectedEnd } from "../thread/app-thread.js";
import { CrashBackOff } from "./crash-back-off.js";
import type { CycleParts } from "./cycle-parts.js";
import type { TakenPort } from "./taken-ports.js";

/** `over`: the app has ended, with this code, and the supervisor shall end as well. */
export interface CrashRestartsOptions
  extends Pick<CycleParts, "front" | "options" | "guard" | "over" | "endsWithApp" | "takenPorts" | "emit"> {
  startAgain(reason: RestartReason): void;
}

export class CrashRestarts {
  readonly #parts: CrashRestartsOptions;
  readonly #backOff = new CrashBackOff();
  #bootedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Of what has ended because of it. */
  #awaited: TakenPort | undefined;

  constructor(parts: CrashRestartsOptions) {
    this.#parts = parts;
  }

  /**
   * The app is not to be started again: who started it goes with it. Without the option `exit` that is so when the process
   * that has forked this one has told the app something, and the app ends (a process manager's "shutdown"), or when that
   * process has left: nobody would ever end what waits for a save.
   */
  #exitsWith(end: UnexpectedEnd | undefined): boolean {
    const { options, endsWithApp } = this.#parts;
    return options.exit || (endsWithApp() && end !== undefined && end.type !== "crashed");
  }

  get isLooping(): boolean {
    return this.#backOff.isLooping;
  }

  /** Somebody has saved a file, or asked for a fresh worker: it may be mended. */
  reset(): void {
    this.#backOff.reset();
    this.#parts.guard?.backOffReset();
  }

  /** The app has started. */
  booted(): void {
    this.#bootedAt = performance.now();
    this.#awaited = undefined;
    this.#parts.guard?.booted();
  }

  /**
   * The thread of the app has ended without having been told to. Tells that, and returns in how many milliseconds the app is
   * started again; undefined: when somebody saves a file. `reloading`: a reload that is under way goes on with a fresh one at once.
   */
  ended(epoch: AppEpoch, end: UnexpectedEnd, reloading: boolean): number | undefined {
    const { front } = this.#parts;
    const wasAnswering = front.hasBegun(epoch.number) || epoch.calls.size > 0;
    const waits = !reloading && this.#waitsForPort(epoch.number, end);
    const delayMs = this.#exitsWith(end) || waits ? undefined : reloading ? 0 : this.#delayAfter(end, wasAnswering);
    const listened = front.addresses().length > 0;
    const lastLines = epoch.board.lastLines(LAST_LINES);
    front.workerDied(epoch.number, errorOfEnd(end), { isLast: this.#exitsWith(end), lastLines });
    this.#tell(epoch.number, end, listened, delayMs);
    return delayMs;
  }

  /** The app has ended because a port is taken: it is started again when that is free. */
  #waitsForPort(epoch: number, end: UnexpectedEnd): boolean {
    const { takenPorts, front } = this.#parts;
    const taken = takenPorts.of(epoch);
    if (taken === undefined || this.#exitsWith(end)) return false;
    const isWhy = end.type === "crashed" && end.error.code === "EADDRINUSE";
    if (!isWhy && front.hasListened(epoch)) return false;
    this.#awaited = taken;
    void takenPorts.tell(taken, true);
    return true;
  }

  /** The app could not start, and nobody would know why it should be able to: but that a port has become free. */
  waitForPort(epoch: number): void {
    const taken = this.#parts.takenPorts.of(epoch);
    if (taken === undefined || this.#parts.options.exit) return;
    void this.#parts.takenPorts.tell(taken, true);
    this.#awaited = taken;
    this.startAgainAfter(undefined);
  }

  /** Another process has ended, which had the app: tells it. */
  processEnded(end: UnexpectedEnd, delayMs: number | undefined): void {
    this.#tell(0, end, this.#parts.front.addresses().length > 0, delayMs);
  }

  #tell(epoch: number, end: UnexpectedEnd, listened: boolean, delayMs: number | undefined): void {
    const { emit, options, over, front } = this.#parts;
    const exits = this.#exitsWith(end);
    const waiting = this.#awaited === undefined ? "waiting for a change" : "waiting for the port";
    const next = exits ? "closing" : delayMs === undefined ? waiting : "restarting";
    const afterMs = delayMs !== undefined && delayMs > 0 ? { afterMs: delayMs } : {};
    const isMissing = end.type === "ended" && end.code === 0 && !listened;
    const awaited = this.#awaited && `port ${this.#awaited.port} is taken`;
    const missing = isMissing ? { missing: awaited ?? whatIsMissing(options.port, front.hasListened(epoch)) } : {};
    emit("worker-exit", { epoch, entry: options.entry, cause: { ...end, ...missing }, next, ...afterMs });
    if (exits) over(exitCodeOf(end));
  }

  #delayAfter(end: UnexpectedEnd, wasAnswering: boolean): number | undefined {
    return this.#backOff.next({
      livedMs: performance.now() - this.#bootedAt,
      wasAnswering,
      listened: this.#parts.front.addresses().length > 0,
      code: codeOf(end),
      isOver: end.type === "ended",
    });
  }

  /** A script has come to its end while it was started: true when that is all there is to say. */
  startEnded(epoch: number, end: UnexpectedEnd): boolean {
    const { front } = this.#parts;
    const listened = front.addresses().length > 0;
    const exits = this.#exitsWith(end);
    if (!exits && (end.type !== "ended" || listened)) return false;
    if (exits && end.type === "crashed") return false;
    const waits = this.#waitsForPort(epoch, end);
    this.#tell(epoch, end, listened, undefined);
    if (waits) this.startAgainAfter(undefined);
    return true;
  }

  /** The first start has failed: there is nothing to go on with, unless somebody saves. */
  neverStarted(end: UnexpectedEnd | undefined): void {
    if (this.#exitsWith(end)) this.#parts.over(end === undefined ? 1 : exitCodeOf(end));
  }

  /** Nothing can be done about an app that ends itself while it starts but to try it again, a few times. */
  startFailed(epoch: number, end: UnexpectedEnd): void {
    if (this.#exitsWith(end)) return;
    if (this.#waitsForPort(epoch, end)) {
      this.startAgainAfter(undefined);
      return;
    }
    const delayMs = this.#backOff.next({
      livedMs: 0,
      wasAnswering: false,
      listened: false,
      code: codeOf(end),
      isOver: end.type === "ended",
    });
    if (delayMs !== undefined) {
      const when = delayMs === 0 ? "at once" : `in ${delayMs / 1000} s`;
      const message = `the app ended while it started: it is started again ${when}`;
      this.#parts.emit("log", { level: "info", message });
    }
    this.startAgainAfter(delayMs);
  }

  /** It could not start for want of descriptors: that is no fault of the code, and no save will mend it. */
  lacksDescriptors(error: SerializedError): void {
    if (this.#timer === undefined) this.startAgainAfter(LACK_MS, { type: "reloadFailed", error });
  }

  /** Undefined: it is not started again by this. */
  startAgainAfter(delayMs: number | undefined, reason: RestartReason = { type: "workerExit" }): void {
    const awaited = this.#awaited;
    this.stop();
    if (awaited) this.#parts.takenPorts.whenFree(awaited, () => this.#parts.startAgain(reason));
    else if (delayMs !== undefined) this.#timer = setTimeout(() => this.#parts.startAgain(reason), delayMs);
  }

  /** It is started now, or never again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#awaited = undefined;
    this.#parts.takenPorts.stop();
  }
}

function codeOf(end: UnexpectedEnd): number | undefined {
  return end.type === "crashed" ? undefined : end.code;
}

/** What an app that serves nothing would have to do, in words. `port`: that was asked for; `hasListened`: it did once. */
export function whatIsMissing(port: number | undefined, hasListened: boolean): string {
  if (hasListened) return port === undefined ? "nothing listens any more" : `nothing listens on port ${port} any more`;
  const what = "it neither calls listen() nor exports an app";
  return port === undefined ? what : `nothing listens on port ${port}: ${what}`;
}
