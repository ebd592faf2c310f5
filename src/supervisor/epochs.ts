/** The app's threads: starts them, evaluates the app in them, and connects their servers with the front. */
import type { Front } from "../front/front.js";
import type { ResolvedOptions } from "../options.js";
import type { BootOrder, ListenTarget } from "../protocol/messages.js";
import { type SerializedError, serializeError } from "../protocol/serialized-error.js";
import { AppEpoch, type EpochListener, type ListenReport } from "./app-epoch.js";
import { errorOfEnd, type UnexpectedEnd } from "./app-thread.js";
import { appEnvironment, cacheFolder, importConditions } from "./environment.js";
import type { ListenReports } from "./listen-reports.js";
import { LoadedApp } from "./loaded-app.js";
import type { Preparation } from "./prepare.js";
import type { Preparer } from "./preparer.js";

export interface EpochsOptions {
  readonly options: ResolvedOptions;
  readonly roots: () => readonly string[];
  readonly front: Front;
  readonly preparer: Preparer;
  readonly listening: ListenReports;
  readonly socketFolder: string;
  readonly table: SharedArrayBuffer;
  readonly onLog: EpochListener["logged"];
  /** A thread ended without having been told to. */
  readonly onEnd: (epoch: AppEpoch, end: UnexpectedEnd) => void;
}

export type Boot =
  | { readonly type: "booted"; readonly app: LoadedApp }
  | { readonly type: "failed"; readonly error: SerializedError };

export class Epochs {
  readonly #with: EpochsOptions;
  /** Threads that have not ended (the app's, one on trial, one that drains), and what each holds. */
  readonly #threads = new Map<AppEpoch, LoadedApp | undefined>();
  /** Threads that have opened a server: only the first server takes `--port`. */
  readonly #listened = new WeakSet<AppEpoch>();
  #last = 0;

  constructor(options: EpochsOptions) {
    this.#with = options;
  }

  /** Number of the newest thread; 0: none yet. */
  get last(): number {
    return this.#last;
  }

  /** Starts a thread, which loads its runtime and waits. */
  spawn(): AppEpoch {
    const { options, table } = this.#with;
    const order: BootOrder = {
      epoch: ++this.#last,
      root: options.root,
      entry: options.entry,
      args: [...options.args],
      preload: this.#with.roots().slice(0, -1),
      ...(options.app !== undefined && { app: options.app }),
      fallback: options.fallback,
      socketFolder: this.#with.socketFolder,
      cacheFolder: cacheFolder(options.root),
      conditions: importConditions(process.execArgv),
      connectionTable: table,
    };
    const epoch = new AppEpoch(order, appEnvironment(options.envFiles), this.#listener);
    this.#threads.set(epoch, undefined);
    return epoch;
  }

  /** Evaluates the app in a thread that was spawned. A thread whose app fails is ended. */
  async boot(epoch: AppEpoch, preparation: Preparation): Promise<Boot> {
    const app = new LoadedApp(epoch, this.#with.roots(), preparation);
    this.#threads.set(epoch, app);
    const outcome = await epoch.boot([...preparation.modules.values()]);
    switch (outcome.type) {
      case "booted":
        app.evaluated(outcome.loaded);
        return { type: "booted", app };
      case "failed":
        await this.retire(epoch, 0);
        return { type: "failed", error: outcome.error };
      case "ended":
        return { type: "failed", error: errorOfEnd(outcome.end) };
      default:
        return outcome satisfies never;
    }
  }

  /** Ends a thread; its requests in flight get `drainMs`. */
  async retire(epoch: AppEpoch, drainMs: number): Promise<void> {
    await epoch.stop(drainMs);
    this.#with.front.workerDied(epoch.number);
  }

  /** Ends every thread. */
  async close(drainMs: number): Promise<void> {
    await Promise.all([...this.#threads.keys()].map((epoch) => epoch.stop(drainMs)));
  }

  readonly #listener: EpochListener = {
    listenRequested: (epoch, report) => void this.#listen(epoch, report),
    serverClosed: (epoch, listenId) => void this.#with.front.close(epoch.number, listenId),
    serverReleased: (epoch, listenId) => this.#with.front.release(epoch.number, listenId),
    modulesDiscovered: (epoch, modules) => {
      this.#threads.get(epoch)?.discovered(modules);
      this.#with.preparer.trackModules(modules);
    },
    modulesLoaded: (epoch, loaded) => this.#threads.get(epoch)?.evaluated(loaded),
    logged: (level, message) => this.#with.onLog(level, message),
    ended: (epoch, end) => {
      this.#threads.delete(epoch);
      if (end.type !== "stopped") this.#with.onEnd(epoch, end);
    },
  };

  async #listen(epoch: AppEpoch, report: ListenReport): Promise<void> {
    const { listenId, kind } = report;
    try {
      const target = this.#targetOf(epoch, report);
      const { address, opened } = await this.#with.front.open({ ...report, epoch: epoch.number, target });
      epoch.settleListen(listenId, { address });
      if (opened) this.#with.listening.opened({ kind, address });
    } catch (error) {
      epoch.settleListen(listenId, { error: serializeError(error) });
    }
  }

  /** `--port` and `--host` count for the first server of a thread. */
  #targetOf(epoch: AppEpoch, { target }: ListenReport): ListenTarget {
    if (this.#listened.has(epoch) || target.type === "path") return target;
    this.#listened.add(epoch);
    const { port = target.port, host = target.host } = this.#with.options;
    return { ...target, port, ...(host !== undefined && { host }) };
  }
}
