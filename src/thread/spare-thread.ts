/**
 * A thread of the app before it has an app: one Piscina pool with one thread. In a file of its own with few imports,
 * because the command line starts one before it loads anything else.
 */
import { fileURLToPath } from "node:url";
import { type ResourceLimits, SHARE_ENV, type Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { CRASHED_MS, THREAD_LOAD_MS } from "../common/deadlines.js";
import { NODE_MAJOR } from "../common/node-version.js";
import { wait } from "../common/wait.js";
import type { AppProcess } from "./app-process.js";
import { stackSize, withoutPreloads } from "./node-flags.js";
import { reenterWorkingFolder } from "./working-folder.js";

const WORKER_FILE = fileURLToPath(new URL("../../workers/app.js", import.meta.url));

/**
 * Node ends a thread that has reached the limit of its heap by letting it have 16 MB more, in which it is to come to its
 * end; when it needs more than that, V8 aborts the whole process. From Node 24 on the young generation is 192 MB, whose
 * survivors arrive in the old one at once: 7 of 140 endless allocations aborted there, none of 200 with 24 MB or less. The
 * smaller one costs no measurable time (24.21). `--max-semi-space-size` still wins.
 */
const YOUNG_GENERATION_MB = 24;
const FIRST_WITH_LARGE_YOUNG_GENERATION = 24;

/** How often a thread that has crashed is told to end: one in native code does not hear it. */
const MOST_ENDS = 10;

/** What Node keeps of a thread's stack for itself. */
const STACK_BUFFER_MB = 0.1875;

function threadLimits(): { readonly resourceLimits?: ResourceLimits } {
  const stack = stackSize();
  const resourceLimits: ResourceLimits = {
    ...(NODE_MAJOR >= FIRST_WITH_LARGE_YOUNG_GENERATION && { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB }),
    // V8's own flag is for the main thread. (Node's default for threads is larger than V8's for that.)
    ...(stack !== undefined && { stackSizeMb: stack + STACK_BUFFER_MB }),
  };
  return Object.keys(resourceLimits).length > 0 ? { resourceLimits } : {};
}

/** A thread that loads the runtime ahead of need and then waits for an app; it does not keep the process alive. */
export class SpareThread {
  readonly pool: Piscina;

  /** What its app is to have as `process.env`. */
  readonly environment = { ...process.env };

  /** The process that it may have; undefined: that is the host's, and the thread gets a copy of the environment. */
  readonly process: AppProcess | undefined;

  readonly #loaded: Promise<void>;
  readonly #thread: Worker | undefined;
  readonly #exited: Promise<unknown>;

  constructor(appProcess?: AppProcess) {
    this.process = appProcess;
    reenterWorkingFolder(appProcess?.folder);
    const make = (execArgv: string[] | undefined): Piscina =>
      new Piscina({
        filename: WORKER_FILE,
        minThreads: 1,
        maxThreads: 1,
        // The default waits for tasks with Atomics.wait, which freezes the app's timers.
        atomics: "disabled",
        // Nobody but us ends it.
        idleTimeout: Number.POSITIVE_INFINITY,
        // What the app has left open by `fs.open` and file streams is closed with its thread, as with a process.
        trackUnmanagedFds: true,
        ...(appProcess && { env: SHARE_ENV }),
        ...threadLimits(),
        ...(execArgv && { execArgv }),
      });
    this.pool = withoutPreloads(make);
    // One thread, and never a second one in its place: Piscina (5.3) starts one when a thread crashes, and also when it is
    // ended while `destroy()` is called again. Nobody would know of it, and it would stay.
    (this.pool.options as { minThreads: number }).minThreads = 0;
    [this.#thread] = this.pool.threads;
    this.#exited = new Promise((resolve) => this.#thread?.once("exit", resolve));
    if (this.#thread) appProcess?.counts(this.#thread);
    this.#loaded = new Promise((resolve) => {
      this.pool.once("message", () => resolve());
      this.pool.once("error", () => resolve());
    });
    // An error that arrives when no task runs any more: the end of the task was reported already.
    this.pool.on("error", () => {});
  }

  /**
   * Waits until the thread has loaded: Node 20 aborts the whole process when a thread is ended while Piscina requires its
   * file (seen about once in 300 such ends).
   */
  async destroy(): Promise<void> {
    await wait(this.#loaded, { deadlineMs: THREAD_LOAD_MS });
    await this.pool.destroy();
  }

  /**
   * Its task has ended, and so it will, by itself. Not always: after an exception Node goes on with what the event loop has at
   * hand (a request that loops), and Piscina has forgotten the thread by then. What ends it may have been spent on the
   * exception as well, so that it is told again.
   */
  async over(): Promise<void> {
    const destroyed = this.pool.destroy();
    // Each time that it is told, Node listens for its end.
    this.#thread?.setMaxListeners(0);
    for (let time = 0; time < MOST_ENDS; time++) {
      const waited = await wait(this.#exited, { deadlineMs: CRASHED_MS });
      if (waited.type !== "late") break;
      void this.#thread?.terminate();
    }
    await destroyed;
  }
}
