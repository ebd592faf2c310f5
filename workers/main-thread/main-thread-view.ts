/** The thread as the app sees it: the main thread of a process that is the app's. */
import { ABORTED } from "../../src/common/exit-codes.js";
import type { WorkerReport } from "../../src/common/protocol/messages.js";
import type { SharedProcess } from "../../src/common/protocol/orders.js";
import { replaceMethod } from "../ledger/replace.js";
import { nodeError } from "../runtime/module-errors.js";
import { hideOwnResources } from "./active-resources.js";
import { letEnvironmentBeCloned } from "./cloned-environment.js";
import { type EnvironmentTraps, EnvironmentView } from "./environment-view.js";
import { hideMainInspector } from "./inspector-view.js";
import { hidePiscina } from "./own-modules.js";
import { AppChannel, type ParentChannelOptions } from "./parent-channel.js";
import { hangUpByLauncher, showParentOfLauncher } from "./parent-process.js";
import { sharePriority } from "./priority.js";
import { installProcessCalls } from "./process-calls.js";
import { showThreadsAsMain } from "./threads-view.js";

export interface MainThreadViewOptions extends Pick<ParentChannelOptions, "hold" | "letGo" | "nobodys" | "record"> {
  /** Undefined: the process is the host's, and what Node refuses in a worker thread stays refused. */
  readonly shared: SharedProcess | undefined;
  send(report: WorkerReport): void;
  /** Called before the thread ends because of `process.abort()`. */
  onAbort(error: Error): void;
}

export class MainThreadView {
  /** To the process that has forked this one; undefined: there is none. */
  readonly channel: AppChannel | undefined;
  readonly #environment: EnvironmentView | undefined;
  /** Of what stands for `process.env`, if anything does. */
  readonly environmentTraps: EnvironmentTraps | undefined;
  #hasWorkers = false;

  /** To be called before anything else replaces functions of Node's. */
  constructor(options: MainThreadViewOptions) {
    const { shared, send, onAbort } = options;
    showThreadsAsMain();
    hidePiscina();
    hideMainInspector();
    hideOwnResources(() => this.#hasWorkers);
    const abort = (): never => {
      onAbort(nodeError("ERR_UNRELOADER_WORKER_EXIT", "the app called process.abort()"));
      const { reallyExit } = process as unknown as { reallyExit(code: number): never };
      return reallyExit.call(process, ABORTED);
    };
    process.abort = abort;
    if (!shared) return;
    const environment = new EnvironmentView(process.env, {
      variables: shared.variables,
      words: shared.words,
      onTooLate: (name, value) => {
        const message = `${name}=${value} is set too late for this process; start it with it: ${name}=${value} unreloader ...`;
        send({ type: "logged", level: "warn", message });
      },
    });
    this.#environment = environment;
    this.environmentTraps = environment.traps;
    process.env = new Proxy(this.environmentTraps.target, this.environmentTraps.handler);
    letEnvironmentBeCloned();
    replaceMethod(process, "loadEnvFile", (load) => (...args) => {
      environment.loadFile(() => Reflect.apply(load, process, args), args[0] as string | undefined);
    });
    // Its copy in worker threads asks again when the main thread has gone elsewhere.
    Object.defineProperty(process.cwd, "name", { value: "wrappedCwd" });
    if (shared.parent !== undefined) {
      hangUpByLauncher();
      showParentOfLauncher(shared.parent);
    }
    sharePriority();
    installProcessCalls(shared.title, (call) => send({ type: "processCalled", call }));
    this.channel = shared.channel && new AppChannel({ ...options, ...shared.channel });
  }

  /** The app has made a worker thread of its own. */
  workerMade(): void {
    this.#hasWorkers = true;
  }

  /** The app of this thread is about to be evaluated: the process is its from now on. */
  begin(epoch: number): void {
    this.#environment?.begin(epoch);
  }
}
