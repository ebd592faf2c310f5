/**
 * Ports whose server was purged, or ended with its thread, belong to code that is gone when the code that runs is the newest
 * and has nothing going on that may still listen. Until then they stay open, and requests wait there.
 */
import { EMPTY_FILE_MS } from "../common/deadlines.js";
import type { Front } from "../front/front.js";
import { reachedBy } from "../reports/listen-reports.js";
import { publicUrl } from "../reports/report-lines.js";
import type { CycleState } from "./cycle-state.js";

export interface UnadoptedPortsOptions {
  readonly front: Front;
  readonly state: CycleState;
  /** A run is under way, or has to be: what was saved may listen there, and the end of the run comes back here. */
  busy(): boolean;
  tell(message: string): void;
}

export class UnadoptedPorts {
  readonly #options: UnadoptedPortsOptions;
  /** Looks again when files that were empty have had time to be written. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UnadoptedPortsOptions) {
    this.#options = options;
  }

  close(): void {
    const { front, state, busy, tell } = this.#options;
    const epoch = state.app?.epoch;
    if (state.phase !== "running" || !epoch?.alive) return;
    if (epoch.number !== state.epoch || epoch.idleGeneration !== state.generation) return;
    // The new code's port is open before the old one's is closed.
    if (front.isOpening || busy()) return;
    // Between the two steps of a save (truncate, write) the code has no server: the second step gets some time.
    this.stop();
    const { files, at } = state.takenIn;
    const leftMs = at + EMPTY_FILE_MS - performance.now();
    const isEmpty = (file: string): boolean => state.app?.modules.get(file)?.compiled.source === "";
    if (leftMs > 0 && files.some(isEmpty)) {
      this.#timer = setTimeout(() => this.close(), leftMs).unref();
      return;
    }
    for (const { kind, address, closing } of front.closeUnadopted(epoch.number)) {
      const url = publicUrl(reachedBy(kind, address));
      const told = (): void => tell(`closed ${url}: the code that is loaded no longer listens there`);
      if (closing) void closing.then(told);
      else told();
    }
  }

  /** Nothing is closed later. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
