/**
 * The thread that is kept ready for the next fresh worker: with the app's packages loaded, and none of its own code. Made
 * when the app has been quiet, made again when what it has loaded is not what a start would load now.
 */
import { STANDBY_EXTRA_MS } from "../common/deadlines.js";
import { TOO_YOUNG } from "../common/protocol/file-stamps.js";
import type { BootOrder } from "../common/protocol/orders.js";
import type { PackageLog, PackageRequest } from "../common/protocol/package-log.js";
import { requestKey } from "../common/protocol/request-key.js";
import type { StandbyState } from "../reports/inspection.js";
import {
  type AheadThread,
  durationOf,
  environment,
  environmentOf,
  fileChanged,
  type LoadedReport,
  type Recorded,
  sameVariables,
  stablePart,
  type ThreadSource,
  variableRead,
} from "./ahead-thread.js";
import type { AppProcess } from "./app-process.js";
import { SpareThread } from "./spare-thread.js";
import { ThreadTask } from "./thread-task.js";
import { type Modules, unchangedRequests } from "./unchanged-requests.js";

/** How often is looked whether the app is quiet. */
const LOOK_MS = 250;
/** So many looks in a row must have found it quiet. */
const QUIET_LOOKS = 4;
/** A thread that could not be made so often in a row is not made before the app loads something else. */
const ATTEMPTS = 3;

/** Of a thread that is no app's yet: it does not have the process. */
const NO_EPOCH = -1;

export interface StandbyOptions {
  /** Whether a second thread is wanted at all. */
  readonly enabled: boolean;
  /** Of a thread that would be started now; its epoch and generation do not matter. */
  order(): BootOrder;
  /** A request is in flight, or the app is being reloaded or started. */
  busy(): boolean;
  onLog(message: string): void;
}

export class Standby {
  readonly #options: StandbyOptions;
  readonly #process: AppProcess | undefined;
  #bare: SpareThread | undefined;
  #ahead: AheadThread | undefined;
  #recorded: Recorded | undefined;
  /** Requests that turned out not to be fit, by key, and why; for as long as the supervisor lives. */
  readonly #unfit = new Map<string, string>();
  #looks: NodeJS.Timeout | undefined;
  #quiet = 0;
  #failures = 0;
  /** Nothing was found that could be loaded ahead, of this start. */
  #useless: Recorded | undefined;
  #closed = false;

  /** `spare`: a thread that was started before anything else, for the first start. */
  constructor(options: StandbyOptions, spare: SpareThread | undefined) {
    this.#options = options;
    this.#bare = spare;
    this.#process = spare?.process;
  }

  get state(): StandbyState {
    const { report } = this.#ahead ?? {};
    const none = { packages: 0, heapBytes: 0, loadMs: 0 };
    if (this.#ahead === undefined) return { state: this.#bare ? "bare" : "none", ...none };
    if (!report) return { state: "loading", ...none };
    const { heapBytes, durationMs: loadMs } = report;
    return { state: "ready", packages: report.loaded.length, heapBytes, loadMs };
  }

  /** A thread for the app: the one with its packages, if it fits. Both are used up by it. */
  take(order: BootOrder): ThreadSource {
    const ahead = this.#takeAhead(order);
    // Should the app not start, the next one needs a thread all the same.
    this.#lookLater();
    return {
      ahead,
      bare: ahead ? undefined : this.#takeBare(),
      environment,
      process: this.#process,
      giveBack: (unused) => this.#giveBack(unused),
      refused: (refused, because) => this.#refused(refused, because),
      recorded: (log, modules) => this.#started(log, modules),
      changed: () => this.#lookLater(),
    };
  }

  #takeAhead(order: BootOrder): AheadThread | undefined {
    const ahead = this.#ahead;
    if (!ahead) return undefined;
    // Its files are looked at when the code is there.
    const because = this.#unusable(ahead, order);
    if (because !== undefined) {
      this.#drop(because);
      return undefined;
    }
    this.#ahead = undefined;
    return ahead;
  }

  #takeBare(): SpareThread | undefined {
    const bare = this.#bare;
    this.#bare = undefined;
    if (!bare || sameVariables(bare.environment, environment())) return bare;
    void bare.destroy();
    return undefined;
  }

  /** A thread that was taken is not needed after all: nothing of the app has run in it. */
  #giveBack(ahead: AheadThread): void {
    if (this.#closed || this.#ahead) void ahead.task.destroy();
    else this.#ahead = ahead;
  }

  /** The app asks for its packages in another way than at the start before: not even tried again with this one. */
  #refused(ahead: AheadThread, because: string): Promise<void> {
    this.#options.onLog(`standby: not used: ${because}`);
    return ahead.task.destroy();
  }

  /** The app has started. `now` is the map of its modules, which changes with it. */
  #started(log: PackageLog, now: Modules): void {
    const before = new Map(log.visited.flatMap(({ file }) => [[file, now.get(file)] as const]).filter(isKnown));
    this.#recorded = { log, before, now };
    this.#failures = 0;
    this.#lookLater();
  }

  /** Something has changed: looks whether what is ready still is what is needed, once the app is quiet. */
  #lookLater(): void {
    if (this.#closed || !this.#options.enabled) return;
    clearInterval(this.#looks);
    this.#quiet = 0;
    this.#looks = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looks);
    const threads = [this.#ahead?.task, this.#bare];
    this.#ahead = undefined;
    this.#bare = undefined;
    await Promise.all(threads.map((thread) => thread?.destroy()));
  }

  #look(): void {
    this.#quiet = this.#options.busy() ? 0 : this.#quiet + 1;
    if (this.#quiet < QUIET_LOOKS) return;
    clearInterval(this.#looks);
    const recorded = this.#recorded;
    if (!recorded) {
      this.#bare ??= new SpareThread(this.#process);
      return;
    }
    const requests = this.#requestsFor(recorded);
    const order: BootOrder = { ...this.#options.order(), waits: true };
    if (this.#ahead) {
      const because =
        this.#unusable(this.#ahead, order) ??
        fileChanged(this.#ahead.report) ??
        this.#insufficient(this.#ahead, recorded, requests);
      if (because === undefined) return;
      this.#drop(because);
    }
    this.#make(recorded, requests, order);
  }

  #requestsFor({ log, before, now }: Recorded): PackageRequest[] {
    return log.requests.slice(0, unchangedRequests(log, before, now)).map((request) => {
      const because = this.#unfit.get(requestKey(request));
      return because === undefined ? request : { ...request, effects: [...request.effects, because] };
    });
  }

  #make(recorded: Recorded, requests: readonly PackageRequest[], order: BootOrder): void {
    // The user's own adapters are loaded with the app, and packages before them are none of theirs. A debugger wants to stop
    // in packages, too.
    const isHopeless = order.adapters.length > 0 || order.debuggable || requests.length === 0;
    if (isHopeless || this.#useless === recorded || this.#failures >= ATTEMPTS) {
      this.#bare ??= new SpareThread(this.#process);
      return;
    }
    const spare = this.#takeBare() ?? new SpareThread(this.#process);
    let settle = (): void => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const task = new ThreadTask(order, spare, (report) => {
      if (report.type === "processCalled") this.#process?.answer(NO_EPOCH, report.call);
      if (report.type !== "loadedAhead") return;
      ahead.report = report;
      settle();
      this.#loaded(ahead, report);
    });
    const ahead: AheadThread = {
      task,
      order,
      environment: spare.environment,
      recorded,
      requests,
      startedAt: performance.now(),
      report: undefined,
      settled,
    };
    this.#ahead = ahead;
    task.send({ type: "loadAhead", requests });
    void task.ended.then((end) => {
      settle();
      if (this.#ahead !== ahead) return;
      this.#ahead = undefined;
      this.#failures++;
      const message = end.type === "threw" && end.error instanceof Error ? end.error.message : "it returned";
      this.#options.onLog(`standby: the thread has ended by itself: ${message}`);
      this.#lookLater();
    });
  }

  #loaded(ahead: AheadThread, { loaded, unfit, left, files }: LoadedReport): void {
    if (this.#ahead !== ahead) return;
    for (const { index, because } of [...left, ...unfit]) {
      const { file } = ahead.requests[index] ?? {};
      this.#options.onLog(`standby: ${file} is not loaded ahead, because ${because}`);
    }
    for (const { index, because } of unfit) {
      const request = ahead.requests[index];
      if (request) this.#unfit.set(requestKey(request), because.replace(/^it /, ""));
    }
    const young = files.find(({ stamp }) => stamp === TOO_YOUNG);
    if (unfit.length > 0 || young) {
      this.#drop(young ? `${young.file} was being written` : "a package turned out not to be fit");
      this.#lookLater();
      return;
    }
    if (loaded.length > 0) {
      const { loadMs, heapBytes } = this.state;
      const megabytes = Math.round(heapBytes / 2 ** 20);
      this.#options.onLog(
        `standby: ready, ${loaded.length} packages loaded in ${Math.round(loadMs)} ms, ${megabytes} MB of heap`,
      );
      return;
    }
    this.#useless = ahead.recorded;
    this.#drop("no package can be loaded ahead");
    this.#lookLater();
  }

  #drop(because: string): void {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    this.#options.onLog(`standby: given up: ${because}`);
    void ahead?.task.destroy();
  }

  /** Why the thread cannot be the app's, whatever the app's code is; undefined: it can. */
  #unusable(ahead: AheadThread, order: BootOrder): string | undefined {
    const isSame =
      ahead.order.connectionTable === order.connectionTable && stablePart(ahead.order) === stablePart(order);
    if (!isSame) return "what the app is started with has changed";
    const { report } = ahead;
    if (report) return variableRead(ahead, report, environmentOf(order, environment()));
    const waited = performance.now() - ahead.startedAt;
    return waited > 2 * durationOf(ahead.requests) + STANDBY_EXTRA_MS
      ? `it has been loading for ${waited} ms`
      : undefined;
  }

  /** Why another thread would be better. */
  #insufficient(ahead: AheadThread, recorded: Recorded, requests: readonly PackageRequest[]): string | undefined {
    const keys = (of: readonly PackageRequest[]) => of.map(requestKey).join("\n");
    if (ahead.recorded !== recorded && keys(ahead.requests) !== keys(requests)) return "the app loads other packages";
    if (keys(ahead.requests).startsWith(keys(requests)) && requests.length < ahead.requests.length) {
      const needed = ahead.report?.loaded.some((index) => index >= requests.length);
      return needed === false ? undefined : "a file that is evaluated before a package has changed";
    }
    return undefined;
  }
}

function isKnown<Value>(entry: readonly [string, Value | undefined]): entry is readonly [string, Value] {
  return entry[1] !== undefined;
}
