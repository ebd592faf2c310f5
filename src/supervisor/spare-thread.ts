/**
 * A thread of the app before it has an app: one Piscina pool with one thread. In a file of its own with few imports,
 * because the command line starts one before it loads anything else.
 */
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";

const WORKER_FILE = fileURLToPath(new URL("../../workers/app.js", import.meta.url));

/** A thread that loads the runtime ahead of need and then waits for an app; it does not keep the process alive. */
export class SpareThread {
  readonly pool = new Piscina({
    filename: WORKER_FILE,
    minThreads: 1,
    maxThreads: 1,
    // The default waits for tasks with Atomics.wait, which freezes the app's timers.
    atomics: "disabled",
    // Node would warn about every descriptor that the app itself leaves open at the end of an epoch.
    trackUnmanagedFds: false,
  });

  constructor() {
    // An error that arrives when no task runs any more: the end of the task was reported already.
    this.pool.on("error", () => {});
  }

  async destroy(): Promise<void> {
    await this.pool.destroy();
  }
}
