/**
 * The conversation with one app thread: orders that expect an answer become promises, everything else is passed on.
 * When the thread ends, what is still awaited settles with that end; nothing here decides what to do about it.
 */
import type { PreparedModule, ResolveKind } from "../compile/compiled-module.js";
import type { BootOrder, LoadedModule, PlanOrder, PublicAddress, WorkerReport } from "../protocol/messages.js";
import type { SerializedError } from "../protocol/serialized-error.js";
import { type AppThread, errorOfEnd, startAppThread, type ThreadEnd } from "./app-thread.js";
import { ThreadCalls } from "./calls.js";
import type { SpareThread } from "./spare-thread.js";

export type ListenReport = Extract<WorkerReport, { type: "listenRequested" }>;

export type BootOutcome =
  | {
      readonly type: "booted";
      readonly loaded: readonly LoadedModule[];
      readonly serves: "listening" | "exported" | "pending";
    }
  | { readonly type: "failed"; readonly loaded: readonly LoadedModule[]; readonly error: SerializedError }
  | { readonly type: "ended"; readonly end: ThreadEnd };

export type ApplyOutcome =
  | {
      readonly type: "applied";
      readonly loaded: readonly LoadedModule[];
      readonly purged: readonly { file: string; classes: string[] }[];
    }
  /** Nothing was done, since the graph was not up to date; now it is. */
  | { readonly type: "outdated" }
  /** The worker is back at the versions it had. `damaged`: see `planFailed`. */
  | { readonly type: "failed"; readonly error: SerializedError; readonly damaged: readonly string[] }
  | { readonly type: "ended"; readonly end: ThreadEnd };

/** Reports that come at any time. */
export interface EpochListener {
  listenRequested(epoch: AppEpoch, report: ListenReport): void;
  serverClosed(epoch: AppEpoch, listenId: number): void;
  serverReleased(epoch: AppEpoch, listenId: number): void;
  modulesDiscovered(epoch: AppEpoch, modules: readonly PreparedModule[]): void;
  specifierLookedUp(specifier: string, importer: string, kind: ResolveKind): void;
  fileWritten(epoch: AppEpoch, file: string): void;
  modulesLoaded(epoch: AppEpoch, loaded: readonly LoadedModule[]): void;
  logged(level: "debug" | "info" | "warn" | "error", message: string): void;
  ended(epoch: AppEpoch, end: ThreadEnd): void;
}

export class AppEpoch {
  readonly number: number;
  readonly calls: ThreadCalls;
  readonly #thread: AppThread;
  readonly #listener: EpochListener;
  #onBoot: ((outcome: BootOutcome) => void) | undefined;
  /** Plan id -> who waits for it; born with the order, dies with the answer or with the thread. */
  readonly #plans = new Map<number, (outcome: ApplyOutcome) => void>();
  #lastPlanId = 0;
  #reportsSeen = 0;
  #alive = true;

  constructor(order: BootOrder, spare: SpareThread | undefined, listener: EpochListener) {
    this.number = order.epoch;
    this.#listener = listener;
    this.#thread = startAppThread({ order, spare, onReport: (report) => this.#receive(report) });
    this.calls = new ThreadCalls({
      call: (order) => this.#thread.send(order),
      abortCall: (callId, signal, reason) => {
        if (this.#alive) this.#thread.send({ type: "abortCall", callId, signal, reason });
      },
    });
    void this.#thread.ended.then((end) => this.#end(end));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Evaluates the app for the first time in this thread. `modules`: code of all that is known to be needed. */
  boot(modules: readonly PreparedModule[]): Promise<BootOutcome> {
    return new Promise((resolve) => {
      this.#onBoot = resolve;
      if (!this.#alive) return;
      this.#thread.send({ type: "addModules", modules });
      this.#thread.send({ type: "evaluate" });
    });
  }

  apply(plan: PlanOrder): Promise<ApplyOutcome> {
    return new Promise((resolve) => {
      const planId = ++this.#lastPlanId;
      this.#plans.set(planId, resolve);
      this.#thread.send({ type: "applyPlan", planId, reportsSeen: this.#reportsSeen, ...plan });
    });
  }

  /** Code for files that are not evaluated now, but may be asked for later. */
  addModules(modules: readonly PreparedModule[]): void {
    if (modules.length > 0) this.#thread.send({ type: "addModules", modules });
  }

  settleListen(listenId: number, outcome: { address: PublicAddress } | { error: SerializedError }): void {
    if (this.#alive) this.#thread.send({ type: "settleListen", listenId, ...outcome });
  }

  releaseRequests(): void {
    if (this.#alive) this.#thread.send({ type: "releaseRequests" });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#alive) this.#thread.send({ type: "signal", signal });
  }

  /** Ends the thread: the app's requests get `drainMs`, then it is ended by force. Idempotent. */
  stop(drainMs: number): Promise<void> {
    return this.#thread.stop(drainMs);
  }

  #receive(report: WorkerReport): void {
    switch (report.type) {
      case "evaluated":
        this.#boot({ type: "booted", loaded: report.loaded, serves: report.serves });
        break;
      case "evaluateFailed":
        this.#boot({ type: "failed", loaded: report.loaded, error: report.error });
        break;
      case "planApplied":
        this.#settlePlan(report.planId, { type: "applied", loaded: report.loaded, purged: report.purged });
        break;
      case "planOutdated":
        this.#settlePlan(report.planId, { type: "outdated" });
        break;
      case "planFailed":
        this.#settlePlan(report.planId, { type: "failed", error: report.error, damaged: report.damaged });
        break;
      case "listenRequested":
        this.#listener.listenRequested(this, report);
        break;
      case "serverClosed":
        this.#listener.serverClosed(this, report.listenId);
        break;
      case "serverReleased":
        this.#listener.serverReleased(this, report.listenId);
        break;
      case "modulesDiscovered":
        this.#reportsSeen++;
        this.#listener.modulesDiscovered(this, report.modules);
        break;
      case "specifierLookedUp":
        this.#listener.specifierLookedUp(report.specifier, report.importer, report.kind);
        break;
      case "modulesLoaded":
        this.#reportsSeen++;
        this.#listener.modulesLoaded(this, report.loaded);
        break;
      case "fileWritten":
        this.#listener.fileWritten(this, report.file);
        break;
      case "callReturned":
      case "callFailed":
        this.calls.receive(report);
        break;
      case "logged":
        this.#listener.logged(report.level, report.message);
        break;
      // How the thread ends is told by the thread itself.
      case "started":
      case "crashed":
      case "exitRequested":
        break;
      default:
        report satisfies never;
    }
  }

  #boot(outcome: BootOutcome): void {
    this.#onBoot?.(outcome);
    this.#onBoot = undefined;
  }

  #settlePlan(planId: number, outcome: ApplyOutcome): void {
    this.#plans.get(planId)?.(outcome);
    this.#plans.delete(planId);
  }

  #end(end: ThreadEnd): void {
    this.#alive = false;
    this.#boot({ type: "ended", end });
    for (const planId of [...this.#plans.keys()]) this.#settlePlan(planId, { type: "ended", end });
    // Whoever is told of the end may count what was in flight.
    this.#listener.ended(this, end);
    this.calls.end(errorOfEnd(end));
  }
}
