/** The only place that knows chokidar: watches the entries of one folder, not what is below them. */
import path from "node:path";
import { FSWatcher } from "chokidar";

export interface FolderListener {
  /** `name` changed, or came, or went; undefined when that is not known. `renamed`: it came or went, or the folder did. */
  event(name: string | undefined, renamed: boolean): void;
  /** From now on events arrive. */
  established(): void;
  /** There is no such folder. Nothing more is reported. */
  missing(): void;
  /** The system refused (EMFILE, ENOSPC, EACCES, ...), now or later. Nothing more is reported. */
  failed(error: Error): void;
}

export interface FolderWatch {
  /** Idempotent; nothing is reported after it. */
  close(): void;
}

export type WatchFolder = (folder: string, listener: FolderListener) => FolderWatch;

/** Why events cannot be had at all: no fs.watch on this platform, or the environment says so. Undefined when they can. */
export function eventsUnavailable(): string | undefined {
  return new FolderWatcher(".").options.usePolling
    ? "CHOKIDAR_USEPOLLING is set, or the platform has no events"
    : undefined;
}

export const watchFolder: WatchFolder = (folder, listener) => {
  const watcher = new FolderWatcher(folder);
  let over = false;
  const end = (report: () => void): void => {
    if (over) return;
    close();
    report();
  };
  const close = (): void => {
    over = true;
    // Nothing is left to wait for: closing an fs.watch is synchronous.
    void watcher.close();
  };
  // `raw` is emitted synchronously from fs.watch's callback; `all` comes 1 to 6 ms later, after chokidar's own stat.
  watcher.on("raw", (type, name) => {
    if (!over) listener.event(name || undefined, type !== "change");
  });
  watcher.on("error", (error) => end(() => listener.failed(asError(error))));
  watcher.on("ready", () => {
    if (watcher.established) listener.established();
    else end(() => listener.missing());
  });
  watcher.add(folder);
  return { close };
};

/**
 * chokidar lists a watched folder, and stats each of its entries, at the start and again after each event: 20 to 50 ms of
 * work for each save in a folder of 2000 files. Only its raw events are wanted here. It lists through `_throttle`, and
 * does without when that says "not now"; should a later chokidar not ask it, this still works, only slower.
 */
class FolderWatcher extends FSWatcher {
  readonly #folder: string;
  /** Whether fs.watch is running. `ready` comes also when the folder is missing. */
  established = false;

  constructor(folder: string) {
    super({
      depth: 0,
      ignoreInitial: true,
      atomic: false,
      // No watch for each file: the folder's reports on them.
      ignored: (candidate: string) => path.resolve(candidate) !== folder,
    });
    this.#folder = folder;
  }

  override _throttle(): false {
    return false;
  }

  override _addPathCloser(watched: string, closer: () => void): void {
    super._addPathCloser(watched, closer);
    if (path.resolve(watched) === this.#folder) this.established = true;
  }
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
