/** The app's threads: starts them, evaluates the app in them, and connects their servers with the front. */

import type { CompiledModule } from "../common/compile/compiled-module.js";
import { MAKE_ROOM_MS } from "../common/deadlines.js";
import { errorText } from "../common/errors.js";
import type { BootOrder, ListenTarget, LoadedModule, PublicAddress } from "../common/protocol/messages.js";
import { OwnConnections } from "../common/protocol/own-connections.js";
import { reviveError, type SerializedError, serializeError } from "../common/protocol/serialized-error.js";
import { ThreadBoard } from "../common/protocol/thread-board.js";
import { type Front, type OpenRequest, sameTarget } from "../front/front.js";
import type { AppServer } from "../front/upstream.js";
import type { ResolvedOptions } from "../options/options.js";
import { importerChain } from "../reports/failure.js";
import type { StandbyState } from "../reports/inspection.js";
import type { ListenReports } from "../reports/listen-reports.js";
import { lateSteps } from "../reports/steps.js";
import { AppEpoch, type EpochListener, type ListenReport } from "../thread/app-epoch.js";
import { errorOfEnd, type UnexpectedEnd } from "../thread/app-thread.js";
import { cacheFolder, fileVariables, importConditions } from "../thread/environment.js";
import { watchPulse } from "../thread/pulse.js";
import type { SocketFolder } from "../thread/socket-folder.js";
import type { SpareThread } from "../thread/spare-thread.js";
import { Standby } from "../thread/standby.js";
import type { ThreadWatch } from "../thread/thread-watch.js";
import { reenterWorkingFolder } from "../thread/working-folder.js";
import { LoadedApp } from "./loaded-app.js";
import type { Preparation } from "./prepare.js";
import type { Preparer } from "./preparer.js";
import type { SubclassNames } from "./subclass-names.js";

/** Replaced threads that may finish what they have begun at the same time: each has a whole app in memory. */
const MOST_DRAINING = 2;

export interface EpochsOptions {
  readonly options: ResolvedOptions;
  readonly roots: () => readonly string[];
  /** See the boot order. */
  readonly classNames: () => Readonly<Record<string, readonly string[]>>;
  readonly front: Front;
  readonly preparer: Preparer;
  readonly listening: ListenReports;
  readonly socketFolder: SocketFolder;
  readonly table: SharedArrayBuffer;
  /** A thread that was started before anything else. */
  readonly spare: SpareThread | undefined;
  /** Where the app's first server is public; undefined: as the app says. */
  readonly address: () => { readonly port: number | undefined; readonly host: string | undefined };
  /** Whether an app that is only exported gets a public port. */
  readonly exposes: () => boolean;
  /** Names of the subclass filter. */
  readonly subclasses: SubclassNames;
  /** A request is in flight, or the app is being reloaded or started. */
  readonly busy: () => boolean;
  /** Looks at the threads from outside. */
  readonly watch: Pick<ThreadWatch, "started" | "forced" | "ended" | "silentMs">;
  readonly onLog: EpochListener["logged"];
  /** The app of a thread listens, or never will. */
  readonly onStartSettled: EpochListener["startSettled"];
  /** A port has been opened for a server, or could not be. */
  readonly onListened: () => void;
  readonly onBegunWorkDone: EpochListener["begunWorkDone"];
  readonly onInvalidated: EpochListener["invalidated"];
  readonly onStale: EpochListener["staleReferences"];
  /** A thread ended without having been told to. */
  readonly onEnd: (epoch: AppEpoch, end: UnexpectedEnd) => void;
}

export interface Booted {
  readonly type: "booted";
  readonly app: LoadedApp;
  /** In evaluation order. */
  readonly loaded: readonly LoadedModule[];
}

export type Boot =
  | Booted
  /** `end`: the app has ended itself, or has crashed. */
  | { readonly type: "failed"; readonly error: SerializedError; readonly end?: UnexpectedEnd | undefined }
  /** Nobody waited for it any more. */
  | { readonly type: "abandoned"; readonly because: "aborted" | "late" };

export class Epochs {
  readonly #with: EpochsOptions;
  /** Threads that have not ended (the app's, one on trial, those that drain), and what each holds. */
  readonly #threads = new Map<AppEpoch, LoadedApp | undefined>();
  /** Threads that were replaced and finish what they have begun, oldest first. */
  readonly #draining = new Set<AppEpoch>();
  /** A thread on trial -> what it listens on, on ports that the app's present thread still serves. */
  readonly #onTrial = new Map<AppEpoch, OpenRequest[]>();
  /** Thread -> where its first server wanted to listen: only that one takes `--port`, and does so at each reload. */
  readonly #first = new WeakMap<AppEpoch, ListenTarget>();
  #last = 0;

  readonly #standby: Standby;
  #closed = false;
  /** That the folder of the sockets is gone for good has been told. */
  #folderLost = false;

  constructor(options: EpochsOptions) {
    this.#with = options;
    this.#standby = new Standby(
      {
        enabled: options.options.standby,
        order: () => this.#order(0, 0),
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
    return [planned, app?.modules.get(file)].flatMap((module) => module?.compiled ?? []);
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
    reenterWorkingFolder();
    const order = this.#order(++this.#last, generation);
    const epoch = new AppEpoch(order, this.#standby.take(order), this.#listener);
    this.#threads.set(epoch, undefined);
    this.#with.watch.started(epoch);
    return epoch;
  }

  #order(epoch: number, generation: number): BootOrder {
    const { options, table, subclasses } = this.#with;
    return {
      epoch,
      generation,
      root: options.root,
      entry: options.entry,
      args: [...options.args],
      preload: this.#with.roots().slice(0, -1),
      classNames: this.#with.classNames(),
      autoload: options.autoload,
      ...(options.app !== undefined && { app: options.app }),
      fallback: options.fallback,
      socketFolder: this.#with.socketFolder.path,
      cacheFolder: cacheFolder(options.root),
      adapters: options.adapters,
      conditions: importConditions(process.execArgv),
      connectionTable: table,
      board: new ThreadBoard().buffer,
      ownConnections: new OwnConnections().buffer,
      ...(subclasses.names && { subclasses: subclasses.names }),
      variables: fileVariables(options.envFiles),
      heldDeadlineMs: options.heldDeadline,
      debuggable: options.inspect !== undefined,
      records: options.standby,
    };
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
    if (!this.#onTrial.has(epoch)) this.#openInspector(epoch);
    const outcome = await epoch.boot([...preparation.modules.values()], this.#with.front.hasPorts, signal);
    switch (outcome.type) {
      case "booted":
        app.evaluated(outcome.loaded);
        this.#with.preparer.trackUsesOnly(app, outcome.loaded);
        return { type: "booted", app, loaded: outcome.loaded };
      case "failed":
        await this.retire(epoch, 0);
        return { type: "failed", error: outcome.error };
      case "ended":
        this.#with.front.workerDied(epoch.number, reviveError(errorOfEnd(outcome.end)));
        return {
          type: "failed",
          error: errorOfEnd(outcome.end),
          end: outcome.end.type === "stopped" ? undefined : outcome.end,
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
    this.#onTrial.set(epoch, []);
    const outcome = await this.boot(epoch, preparation, signal);
    if (outcome.type !== "booted") this.#onTrial.delete(epoch);
    return outcome;
  }

  /** Gives a thread that was on trial the ports of the one that it replaces. */
  async promote(epoch: AppEpoch): Promise<void> {
    const requests = this.#onTrial.get(epoch) ?? [];
    this.#onTrial.delete(epoch);
    await Promise.all(requests.map((request) => this.#with.front.open(request)));
    this.#openInspector(epoch);
  }

  /** Ends a thread; what it has begun gets `drainMs`. At `endMs` it is over in every case. */
  async retire(epoch: AppEpoch, drainMs: number, endMs?: number): Promise<void> {
    await epoch.stop(drainMs, true, endMs);
    this.#draining.delete(epoch);
    this.#with.front.workerDied(epoch.number, new Error("the worker was replaced"));
  }

  /** Lets a thread that was replaced finish what it has begun, beside the new one. */
  drain(epoch: AppEpoch): void {
    for (const oldest of this.#draining) {
      if (this.#draining.size < MOST_DRAINING) break;
      this.#draining.delete(oldest);
      void this.retire(oldest, 0, MAKE_ROOM_MS);
    }
    this.#draining.add(epoch);
    void this.retire(epoch, this.#with.options.drain);
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

  /** Threads that were replaced and go on for a while. */
  get draining(): number {
    return this.#draining.size;
  }

  /** Ends every thread: what is in flight gets `drainMs`; at `endMs` all is over. */
  async close(drainMs: number, endMs: number): Promise<void> {
    this.#closed = true;
    for (const epoch of this.#threads.keys()) this.#endWhenBlocked(epoch);
    await Promise.all([
      this.#standby.close(),
      ...[...this.#threads.keys()].map((epoch) => epoch.stop(drainMs, false, endMs)),
    ]);
  }

  readonly #listener: EpochListener = {
    listenRequested: (epoch, report) => void this.#listen(epoch, report),
    serverClosed: (_, listenId) => this.#with.front.close(listenId),
    serverReleased: (_, listenId) => this.#with.front.release(listenId),
    listensAgain: (_, listenId) => this.#with.front.listensAgain(listenId),
    modulesDiscovered: (epoch, modules) => {
      this.#threads.get(epoch)?.discovered(modules);
      this.#with.preparer.trackModules(modules);
    },
    specifierLookedUp: (specifier, importer, kind) => this.#with.preparer.trackLookup(specifier, importer, kind),
    modulesLoaded: (epoch, loaded) => {
      const app = this.#threads.get(epoch);
      if (!app) return;
      // Others report again what they use, or what they ask for.
      const late = loaded.filter(({ file }) => !app.graph.get(file)?.evaluated);
      app.evaluated(loaded);
      this.#with.preparer.trackUses(app, loaded);
      for (const message of lateSteps(late, this.#with.options.root)) this.#with.onLog("debug", message);
    },
    fileWritten: (epoch, file) => this.#threads.get(epoch)?.written(file),
    invalidated: (epoch, file, again) => this.#with.onInvalidated(epoch, file, again),
    staleReferences: (epoch, references, news) => this.#with.onStale(epoch, references, news),
    subclassesUnknown: (names, seen) => {
      for (const message of this.#with.subclasses.unknown(names, seen)) this.#with.onLog("warn", message);
    },
    logged: (level, message) => this.#with.onLog(level, message),
    startSettled: (epoch) => this.#with.onStartSettled(epoch),
    begunWorkDone: (epoch) => this.#with.onBegunWorkDone(epoch),
    forced: (epoch) => this.#with.watch.forced(epoch.number),
    silentMs: (epoch) => this.#with.watch.silentMs(epoch.number),
    ended: (epoch, end) => {
      this.#threads.delete(epoch);
      this.#with.watch.ended(epoch.number);
      if (end.type !== "stopped") this.#with.onEnd(epoch, end);
    },
  };

  #openInspector(epoch: AppEpoch): void {
    const { inspect } = this.#with.options;
    if (inspect) epoch.openInspector(inspect);
  }

  async #listen(epoch: AppEpoch, report: ListenReport): Promise<void> {
    const { listenId } = report;
    try {
      const hidden = report.exported && !this.#with.exposes();
      const request = { ...report, epoch: epoch.number, target: this.#targetOf(epoch, report), hidden };
      const address = this.#lend(epoch, request) ?? (await this.#open(request));
      epoch.settleListen(listenId, { address });
    } catch (error) {
      epoch.settleListen(listenId, { error: serializeError(error) });
    }
    this.#with.onListened();
  }

  #lend(epoch: AppEpoch, request: OpenRequest): PublicAddress | undefined {
    const address = this.#onTrial.has(epoch) ? this.#with.front.lend(request) : undefined;
    if (address !== undefined) this.#onTrial.get(epoch)?.push(request);
    return address;
  }

  async #open(request: OpenRequest): Promise<PublicAddress> {
    const { front, listening } = this.#with;
    const open = front.addresses().length;
    const address = await front.open(request);
    if (front.addresses().length > open) listening.opened({ kind: request.kind, address });
    return address;
  }

  /** `--port` and `--host` count for the first server of a thread. */
  #targetOf(epoch: AppEpoch, { target }: ListenReport): ListenTarget {
    if (target.type !== "port") return target;
    const first = this.#first.get(epoch) ?? target;
    this.#first.set(epoch, first);
    if (!sameTarget(first, target)) return target;
    const { port = target.port, host = target.host } = this.#with.address();
    return { ...target, port, ...(host !== undefined && { host }) };
  }
}
