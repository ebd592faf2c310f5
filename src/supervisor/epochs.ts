/** The app's threads: starts them, evaluates the app in them, and connects their servers with the front. */

import type { CompiledModule } from "../common/compile/compiled-module.js";
import { DRAIN_MS, MAKE_ROOM_MS } from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import type { LoadedModule } from "../common/protocol/messages.js";
import type { TerminalSignal } from "../common/protocol/orders.js";
import { serializeError } from "../common/protocol/serialized-error.js";
import type { AppServer } from "../front/upstream.js";
import { importerChain } from "../reports/failure.js";
import type { StandbyState } from "../reports/inspection.js";
import { lateSteps } from "../reports/steps.js";
import { AppEpoch, type EpochListener, type ToldReport } from "../thread/app-epoch.js";
import { errorOfEnd, type UnexpectedEnd } from "../thread/app-thread.js";
import { watchPulse } from "../thread/pulse.js";
import type { SpareThread } from "../thread/spare-thread.js";
import { Standby } from "../thread/standby.js";
import type { ThreadWatch } from "../thread/thread-watch.js";
import type { Boot } from "./boot.js";
import { type BootSettings, bootOrder } from "./boot-order.js";
import { Listens, type ListensOptions } from "./listens.js";
import { LoadedApp } from "./loaded-app.js";
import type { OwnWrites } from "./own-writes.js";
import type { Preparation } from "./prepare.js";
import type { Preparer } from "./preparer.js";

/** Replaced threads that may finish what they have begun at the same time: each has a whole app in memory. */
const MOST_DRAINING = 2;

/** `startSettled`: the app listens, or never will. `begunWorkDone`: what `idleGeneration` says has changed. */
export type AppNews = Extract<
  ToldReport,
  {
    type:
      | "invalidated"
      | "staleReferencesChecked"
      | "startSettled"
      | "queueStopped"
      | "routeLost"
      | "begunWorkDone"
      | "signalsListened"
      | "packageFilesLoaded";
  }
>;

export interface EpochsOptions extends ListensOptions, BootSettings {
  readonly preparer: Preparer;
  readonly ownWrites: OwnWrites;
  /** A thread that was started before anything else. */
  readonly spare: SpareThread | undefined;
  /** A request is in flight, or the app is being reloaded or started. */
  readonly busy: () => boolean;
  /** Looks at the threads from outside. */
  readonly watch: Pick<ThreadWatch, "started" | "forced" | "ended" | "silentMs">;
  readonly onLog: (level: "debug" | "info" | "warn" | "error", message: string) => void;
  /** A thread has told what concerns more than itself. */
  readonly onTold: (epoch: AppEpoch, report: AppNews) => void;
  /** A thread has ended. */
  readonly onOver: (epoch: AppEpoch) => void;
  /** A thread ended without having been told to. */
  readonly onEnd: (epoch: AppEpoch, end: UnexpectedEnd) => void;
}

export class Epochs {
  readonly #with: EpochsOptions;
  /** Threads that have not ended (the app's, one on trial, those that drain), and what each holds. */
  readonly #threads = new Map<AppEpoch, LoadedApp | undefined>();
  /** Threads that were replaced and finish what they have begun, oldest first. */
  readonly #draining = new Set<AppEpoch>();
  readonly #listens: Listens;
  #last = 0;

  readonly #standby: Standby;
  #closed = false;
  /** That the folder of the sockets is gone for good has been told. */
  #folderLost = false;

  constructor(options: EpochsOptions) {
    this.#with = options;
    this.#listens = new Listens(options);
    this.#standby = new Standby(
      {
        enabled: options.options.standby,
        order: () => bootOrder(options, 0, 0),
        busy: options.busy,
        onLog: (message) => options.onLog("debug", message),
      },
      options.spare,
    );
  }

  /** What is ready for the next fresh worker. */
  get standby(): StandbyState {
    return this.#standby.state;
  }

  /** Versions of an own file that a thread may be running, likeliest first. */
  versions(number: number, file: string): CompiledModule[] {
    const [epoch, app] = [...this.#threads].find(([thread]) => thread.number === number) ?? [];
    const planned = epoch?.planned.find(({ compiled }) => compiled.file === file);
    const versions = [planned?.compiled, app?.modules.get(file)?.compiled, app?.before(file)];
    return versions.filter((compiled) => compiled !== undefined);
  }

  /** Files that lead to `file` in what a thread has loaded, nearest first. */
  importersOf(number: number, file: string): string[] {
    const [, app] = [...this.#threads].find(([thread]) => thread.number === number) ?? [];
    return importerChain(file, app?.graph, this.#with.options.entry);
  }

  /** Number of the newest thread; 0: none yet. */
  get last(): number {
    return this.#last;
  }

  /** Starts a thread, which loads its runtime and waits. `generation`: what the app will be loaded as. */
  spawn(generation: number): AppEpoch {
    const order = bootOrder(this.#with, ++this.#last, generation);
    const epoch = new AppEpoch(order, this.#standby.take(order), this.#listener);
    this.#threads.set(epoch, undefined);
    this.#with.watch.started(epoch);
    return epoch;
  }

  /** Number of the thread that a client of the app's servers is, if it is one; "unknown": ask again in a moment. */
  ownEpoch(address: string | undefined, port: number | undefined): number | "unknown" | undefined {
    const threads = [...this.#threads.keys()];
    const isOpening = threads.some(({ ownConnections }) => ownConnections.opening);
    const own = threads.find(({ ownConnections }) => ownConnections.has(address, port));
    return own?.number ?? (isOpening ? "unknown" : undefined);
  }

  /**
   * A server's socket cannot be reached although its thread runs: somebody has removed the file, or the whole folder. The
   * thread listens again, and what waits for it goes on.
   */
  listenAgain({ epoch: number, listenId }: AppServer): void {
    const epoch = [...this.#threads.keys()].find((one) => one.number === number);
    if (epoch === undefined || this.#closed) return;
    try {
      this.#with.socketFolder.ensure();
    } catch (error) {
      if (this.#folderLost) return;
      this.#folderLost = true;
      const { path } = this.#with.socketFolder;
      const reason = errorText(error);
      const message = `the folder of the app's sockets, ${path}, cannot be made again: ${reason}; start unreloader again`;
      this.#with.onLog("error", message);
      return;
    }
    this.#folderLost = false;
    epoch.listenAgain(listenId);
  }

  /** Evaluates the app in a thread that was spawned. A thread whose app fails, or is given up, is ended. */
  async boot(epoch: AppEpoch, preparation: Preparation, signal?: AbortSignal): Promise<Boot> {
    const app = new LoadedApp(epoch, this.#with.roots, preparation);
    this.#threads.set(epoch, app);
    if (!this.#listens.isOnTrial(epoch)) this.#openInspector(epoch);
    const outcome = await epoch.boot([...preparation.modules.values()], this.#with.front.hasPorts, signal);
    switch (outcome.type) {
      case "booted":
        app.isPartial = outcome.isPartial;
        app.evaluated(outcome.loaded);
        this.#with.preparer.trackUsesOnly(app, outcome.loaded);
        return { type: "booted", app, loaded: outcome.loaded };
      case "failed":
        await this.retire(epoch, 0);
        return { type: "failed", error: outcome.error };
      case "ended":
        this.#with.front.workerDied(epoch.number, errorOfEnd(outcome.end));
        return {
          type: "failed",
          error: errorOfEnd(outcome.end),
          end: outcome.end.type === "stopped" ? undefined : outcome.end,
          ended: epoch,
        };
      case "abandoned":
        // It may loop: nobody waits for its end.
        void this.retire(epoch, 0, 0);
        return outcome;
      default:
        return outcome satisfies never;
    }
  }

  /** Evaluates the app in a thread beside the one that serves, whose ports it does not get before `promote`. */
  async try(epoch: AppEpoch, preparation: Preparation, signal?: AbortSignal): Promise<Boot> {
    this.#listens.beginTrial(epoch);
    const outcome = await this.boot(epoch, preparation, signal);
    if (outcome.type !== "booted") await this.#listens.endTrial(epoch, false);
    return outcome;
  }

  /** Gives a thread that was on trial the ports of the one that it replaces. */
  async promote(epoch: AppEpoch): Promise<void> {
    await this.#listens.endTrial(epoch, true);
    this.#openInspector(epoch);
  }

  /** Ends a thread; what it has begun gets `drainMs`. At `endMs` it is over in every case. */
  async retire(epoch: AppEpoch, drainMs: number, endMs?: number): Promise<void> {
    await epoch.stop(drainMs, true, endMs);
    this.#draining.delete(epoch);
    this.#with.front.workerDied(epoch.number, serializeError(new Error("the worker was replaced")));
  }

  /** Lets a thread that was replaced finish what it has begun, beside the new one. */
  drain(epoch: AppEpoch): void {
    for (const oldest of this.#draining) {
      if (this.#draining.size < MOST_DRAINING) break;
      this.#draining.delete(oldest);
      void this.retire(oldest, 0, MAKE_ROOM_MS);
    }
    this.#draining.add(epoch);
    void this.retire(epoch, this.#with.options.drain ?? DRAIN_MS);
    this.#endWhenBlocked(epoch);
  }

  /** A thread that was told to end, is blocked, and has nothing in flight that may come to an end, has nothing to wait for. */
  #endWhenBlocked(epoch: AppEpoch): void {
    if (!epoch.alive) return;
    const pulse = watchPulse(epoch.board, () => {
      this.#with.front.abandonEpoch(epoch.number);
      const { requests, sockets } = this.#with.front.inFlightOf(epoch.number);
      if (this.#closed || requests + sockets === 0) void epoch.stop(0, true, 0);
      else this.#endWhenBlocked(epoch);
    });
    void epoch.ended.then(() => pulse.stop());
  }

  /** The terminal has another size, or the app goes on after Ctrl-Z. */
  terminalSignal(signal: TerminalSignal): void {
    for (const epoch of this.#threads.keys()) epoch.terminalSignal(signal);
  }

  /** Whether an app is in the middle of writing to a pipe. */
  isWriting(descriptor: 1 | 2): boolean {
    return [...this.#threads.keys()].some(({ alive, board }) => alive && board.isWriting(descriptor));
  }

  /** Threads that were replaced and go on for a while. */
  get draining(): number {
    return this.#draining.size;
  }

  /** Ends every thread: what is in flight gets `drainMs`; at `endMs` all is over. */
  async close(drainMs: number, endMs: number): Promise<void> {
    this.#closed = true;
    this.#with.streams.turns?.close();
    for (const epoch of this.#threads.keys()) this.#endWhenBlocked(epoch);
    await Promise.all([
      this.#standby.close(),
      ...[...this.#threads.keys()].map((epoch) => epoch.stop(drainMs, false, endMs)),
    ]);
  }

  readonly #listener: EpochListener = {
    told: (epoch, report) => this.#told(epoch, report),
    forced: (epoch) => this.#with.watch.forced(epoch.number),
    silentMs: (epoch) => this.#with.watch.silentMs(epoch.number),
    ended: (epoch, end) => {
      this.#threads.delete(epoch);
      this.#with.streams.turns?.ended(epoch);
      this.#with.watch.ended(epoch.number);
      this.#with.onOver(epoch);
      if (end.type !== "stopped") this.#with.onEnd(epoch, end);
      else if (end.error)
        this.#with.onLog("error", `the app has failed while it ended: ${end.error.stack ?? end.error.message}`);
    },
  };

  #told(epoch: AppEpoch, report: ToldReport): void {
    const { front, preparer, ownWrites, subclasses, streams, onLog, onTold } = this.#with;
    switch (report.type) {
      case "listenRequested":
        void this.#listens.listen(epoch, report);
        break;
      case "serverClosed":
        front.close(report.listenId);
        break;
      case "serverReleased":
        front.release(report.listenId);
        break;
      case "listensAgain":
        front.listensAgain(report.listenId);
        break;
      case "modulesDiscovered":
        this.#threads.get(epoch)?.discovered(report.modules);
        preparer.trackModules(report.modules);
        break;
      case "modulesLoaded":
        this.#loadedLate(this.#threads.get(epoch), report.loaded);
        break;
      case "specifierLookedUp":
        preparer.trackLookup(report.specifier, report.importer, report.kind);
        break;
      case "loaderChanged":
        preparer.startDecides = true;
        break;
      case "fileWritten":
        this.#threads.get(epoch)?.written(report.file);
        break;
      case "moduleWritten":
        ownWrites.written(epoch.number, report);
        break;
      case "subclassesUnknown":
        for (const message of subclasses.unknown(report.names, report.seen)) onLog("warn", message);
        break;
      case "inputWanted":
        streams.turns?.wanted(epoch);
        break;
      case "inputLeft":
        streams.turns?.left(epoch, report.unread, report.isFinal);
        break;
      case "inputRests":
        streams.turns?.rests(epoch);
        break;
      case "logged":
        onLog(report.level, report.message);
        break;
      default:
        onTold(epoch, report);
    }
  }

  #loadedLate(app: LoadedApp | undefined, loaded: readonly LoadedModule[]): void {
    if (!app) return;
    // Others report again what they use, or what they ask for.
    const late = loaded.filter(({ file }) => !app.graph.get(file)?.evaluated);
    app.evaluated(loaded);
    this.#with.preparer.trackUses(app, loaded);
    for (const message of lateSteps(late, this.#with.options.root)) this.#with.onLog("debug", message);
  }

  #openInspector(epoch: AppEpoch): void {
    const { inspect } = this.#with.options;
    if (inspect) epoch.openInspector(inspect);
  }
}
