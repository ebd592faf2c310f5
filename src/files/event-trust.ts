/** Decides how far file events can be relied on here, and says once for each reason when they cannot. */
import { EVENT_PROBE_MS } from "../common/deadlines.js";
import { type Promptness, probeEvents } from "./event-probe.js";
import { isRemote } from "./file-system.js";
import { errorCode } from "./stamps.js";
import { eventsUnavailable, type WatchFolder, watchFolder } from "./watcher.js";

export interface EventTrustOptions {
  readonly mode: "events" | "poll" | "auto";
  /** Folder for the file by which `auto` finds out how events behave; made when it is missing. */
  readonly probeFolder: string;
  readonly watch?: WatchFolder | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

export class EventTrust {
  readonly #options: EventTrustOptions;
  /** What has been warned of. */
  readonly #reasons = new Set<string>();
  /** undefined: without events. */
  readonly watch: WatchFolder | undefined;
  #promptness: Promptness;

  constructor(options: EventTrustOptions) {
    this.#options = options;
    this.watch = this.#chooseWatch();
    // Until the probe has ended, files are looked at as well.
    this.#promptness = options.mode === "events" ? "prompt" : "late";
  }

  /** Whether an event of this folder is sure to be there one turn of the event loop after a write has returned. */
  isPrompt(folder: string): boolean {
    return this.#promptness === "prompt" && (this.#options.mode === "events" || !isRemote(folder));
  }

  /** Finds out about `auto`; may take a second. */
  async probe(): Promise<Promptness> {
    const { mode, probeFolder } = this.#options;
    if (!this.watch) return "none";
    if (mode !== "auto") return this.#promptness;
    this.#promptness = await probeEvents(probeFolder, this.watch, EVENT_PROBE_MS);
    if (this.#promptness === "none") this.#warn("none", "no file events arrive here: files are polled for changes");
    return this.#promptness;
  }

  /** The system refused to watch a folder. */
  refused(error: Error): void {
    const code = errorCode(error);
    const advice = code === "ENOSPC" ? " (raise fs.inotify.max_user_watches)" : "";
    this.#warn(code, `some folders cannot be watched and are polled for changes: ${error.message}${advice}`);
  }

  #chooseWatch(): WatchFolder | undefined {
    const { mode, watch } = this.#options;
    if (mode === "poll") return undefined;
    const reason = watch ? undefined : eventsUnavailable();
    if (reason === undefined) return watch ?? watchFolder;
    this.#warn("unavailable", `files are polled for changes, because ${reason}`);
    return undefined;
  }

  #warn(reason: string, message: string): void {
    if (this.#reasons.has(reason)) return;
    this.#reasons.add(reason);
    this.#options.onWarning?.(message);
  }
}
