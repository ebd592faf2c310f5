/** What is said in place of the app: that the newest code is broken, which is told as well, or that it is being closed. */

import type { PreparedModule } from "../common/compile/compiled-module.js";
import { lacksDescriptors } from "../common/compile/descriptor-reserve.js";
import { errorText } from "../common/errors.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { Verdict } from "../front/turn.js";
import type { FailureAge, OwnPage } from "../pages/own-page.js";
import type { CycleReports } from "../reports/cycle-reports.js";
import { failureText, importersOf, LAST_LINES } from "../reports/failure.js";
import type { FailureReport, ReloadReport } from "../reports/report.js";
import { failureCode } from "../reports/report-codes.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import type { CrashRestarts } from "./crash-restarts.js";
import type { CycleParts } from "./cycle-parts.js";
import type { CycleState } from "./cycle-state.js";
import type { Preparation } from "./prepare.js";

/** Lines that the app wrote last, on the page about its end. */

export interface FailuresOptions {
  readonly parts: Pick<
    CycleParts,
    | "front"
    | "address"
    | "options"
    | "startSettled"
    | "listening"
    | "takenPorts"
    | "epochs"
    | "view"
    | "preparer"
    | "emit"
  >;
  readonly state: CycleState;
  readonly reports: CycleReports;
  readonly crashes: CrashRestarts;
}

export class Failures {
  readonly #parts: FailuresOptions["parts"];
  readonly #state: CycleState;
  readonly #reports: CycleReports;
  readonly #crashes: CrashRestarts;
  /** At the start: the app may go elsewhere. */
  readonly #cwd = process.cwd();
  #last: FailureReport | undefined;
  /** Of the last failure. */
  #age: FailureAge | undefined;
  /** The last one that was asked for: every request gets the same, which is written down once. */
  #page: (OwnPage & { error: SerializedError }) | undefined;

  constructor({ parts, state, reports, crashes }: FailuresOptions) {
    this.#crashes = crashes;
    this.#parts = parts;
    this.#state = state;
    this.#reports = reports;
  }

  /** Why the newest code does not run. */
  get last(): FailureReport | undefined {
    return this.#state.phase === "failed" ? this.#last : undefined;
  }

  /** What the gate says while no run is under way. */
  verdict(): Verdict {
    const admitted = this.#state.admission(this.#parts.options.onError === "last-good" || this.#parts.view.isHeld);
    switch (admitted.type) {
      case "pass":
      // A hold ends with the run that the caller has waited for; a state that still holds is one that closes.
      case "hold":
        return { type: "pass" };
      case "failure":
        return this.page(admitted.error);
      case "closing":
        return { type: "page", page: { status: 503, text: "unreloader: the server is closing\n" } };
      default:
        return admitted satisfies never;
    }
  }

  /** What the gate says in place of the app. */
  page(error = this.#last?.error): Verdict {
    if (!error) return { type: "pass" };
    if (this.#page?.error !== error) this.#page = this.#pageOf(error);
    return { type: "page", page: this.#page };
  }

  #pageOf(error: SerializedError): OwnPage & { error: SerializedError } {
    const report = this.#last;
    if (report === undefined) return { status: 500, text: "", error };
    const { onError } = this.#parts.options;
    const failure = { report, onError, age: this.#age };
    return { status: 500, text: failureText(failure, this.#cwd), error, failure };
  }

  /** Code that runs may throw at any time, and a first start comes after no edit. */
  #ageOf({ ended, changed }: FailureReport): FailureAge | undefined {
    const age = this.#parts.view.errors.current;
    return age?.isNew && (ended || changed.length === 0) ? undefined : age;
  }

  /** Within a TLS or HTTP/2 session only the worker can say what the gate says. */
  sayInstead(): void {
    const verdict = this.verdict();
    const said = this.#parts.front.sayInstead(verdict.type === "page" ? verdict.page : undefined);
    if (said !== undefined) this.#state.app?.epoch.sayInstead(said);
  }

  /** A cycle has come to this. `ended`: the thread that has ended while it evaluated the app. */
  async fail(
    error: SerializedError,
    started: number,
    preparation: Preparation | undefined,
    ended?: AppEpoch,
  ): Promise<ReloadReport> {
    const report = await this.become(error, started, preparation, ended && { of: ended, phase: "start" });
    if (lacksDescriptors(error) && !this.#state.closing) this.#crashes.lacksDescriptors(error);
    if (error.code === "EADDRINUSE" && !this.#state.closing) this.#crashes.waitForPort(this.#parts.epochs.last);
    this.#reports.tellChanges();
    this.#parts.emit("failed", report);
    this.#parts.emit("reload", report);
    return report;
  }

  /**
   * `started` on the clock of `performance.now()`; `end`: whose end it is, and what its thread did: evaluate the app, or run
   * it. What is no fault (a script that has come to its end) needs no port to be seen at.
   */
  async become(
    error: SerializedError,
    started: number,
    preparation: Preparation | undefined,
    end?: { readonly of: AppEpoch; readonly phase: "start" | "run" },
    isFault = true,
  ): Promise<FailureReport> {
    const { front, startSettled } = this.#parts;
    const state = this.#state;
    state.app?.epoch.announceFailure(error);
    state.move({ type: "failed", error, threadAlive: state.app !== undefined && state.isUsable(state.app) });
    const lastLines = end?.of.board.lastLines(LAST_LINES) ?? [];
    const report: FailureReport = {
      ...this.#reports.facts("failed", started, failureCode(error)),
      kind: "failed",
      error,
      importedBy: importersOf(error, preparation?.graph, this.#parts.options.entry),
      ...(end?.phase === "run" && { ended: true }),
      ...(state.epoch === undefined && state.generation > 0 && { gone: true }),
      ...(lastLines.length > 0 && { lastLines }),
    };
    this.#last = report;
    const { file } = error.location ?? {};
    if (file !== undefined && state.app?.graph.has(file) !== true) this.#parts.preparer.trackFailure(file);
    this.#parts.view.failed(report, state.isRetry);
    this.#age = this.#ageOf(report);
    if (isFault && (await this.openFallback(preparation?.modules))) this.#parts.listening.loaded(0);
    // Requests that wait for a server get the page instead.
    front.recheck();
    startSettled.settle();
    return report;
  }

  /**
   * When nothing of the app has ever listened, a failure needs a port to be seen at, and its end to be waited for. False: there
   * is one, or none is wanted. `modules`: what is known of the app's own texts.
   */
  async openFallback(modules = this.#state.app?.modules): Promise<boolean> {
    const { front, address, options, listening, takenPorts, epochs, emit } = this.#parts;
    // Its own port is known, and is somebody else's.
    if (takenPorts.of(epochs.last)) return false;
    if (!address.exposes || options.exit || front.addresses().length > 0 || this.#state.closing) return false;
    try {
      const opened = await front.openUnserved(address.forFailure(() => textsOf(modules)));
      listening.opened({ kind: "http", address: opened });
    } catch (error) {
      const message = `the failure cannot be shown in a browser: ${errorText(error)}`;
      emit("log", { level: "warn", message });
    }
    return true;
  }
}

function* textsOf(modules: ReadonlyMap<string, PreparedModule> = new Map()): Iterable<string> {
  for (const { compiled } of modules.values()) yield compiled.source;
}

/** The evaluation of the new code is cut off by the end of all: nobody's fault, and nothing that a save would mend. */
export function closedMeanwhile(): SerializedError {
  const message = "the supervisor was closed before the new code had been evaluated";
  return { name: "ClosedError", code: "ERR_UNRELOADER_CLOSED", message };
}

/** The new code's evaluation has been waited for since `started`, on the clock of `performance.now()`. */
export function givenUp(started: number): SerializedError {
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  return {
    name: "StuckError",
    code: "ERR_UNRELOADER_STUCK",
    message: `the new code was given up after ${seconds} s: its evaluation has not come to an end`,
  };
}
