/**
 * What comes behind an evaluation: the app that the entry only exports is served; main is told when a start is over, and
 * when nothing that was begun may still listen, so that public ports need not wait any more.
 */
import { EXPORTED_LISTEN_MS, LATE_READS_MS, READS_POLL_MS, START_READS_MS } from "../../src/common/deadlines.js";
import { serveExported } from "../../src/common/exported-app/exported-app.js";
import type { BootOrder } from "../../src/common/protocol/orders.js";
import { lookUntil, wait } from "../../src/common/wait.js";
import type { VirtualListen } from "../listener/virtual-listen.js";
import type { PlanParticipant } from "../plan-participant.js";
import type { Observer } from "../runtime/observer.js";
import type { RuntimePlan } from "../runtime/plan-run.js";
import type { Runtime } from "../runtime/runtime.js";
import type { ThreadReports } from "../thread-reports.js";
import type { Waits } from "../waits.js";
import { BegunWork } from "./begun-work.js";
import { StartWatch } from "./start-watch.js";

export interface ServingOptions {
  readonly order: Pick<BootOrder, "entry" | "app" | "fallback">;
  readonly runtime: Runtime;
  readonly observer: Observer;
  readonly waits: Waits;
  readonly listen: VirtualListen;
  readonly reports: ThreadReports;
  /** How many public ports main has been asked for and not opened. */
  opening(): number;
  /** What the app is loaded as. */
  generation(): number;
  /** Runs behind the plan that is being applied. */
  enqueue(run: () => Promise<void>): void;
  /** Nothing of the evaluation goes on any more. */
  settled(): void;
}

export class Serving implements PlanParticipant<RuntimePlan> {
  readonly #options: ServingOptions;
  readonly #start: StartWatch;
  readonly #begun: BegunWork;
  /** Public ports of earlier threads wait for servers of this one. */
  #portsWait = false;
  /** The entry was evaluated again, opened its own server before, and what it exports has not been looked at. */
  #mayExport = false;
  /** The plan under way evaluates the entry. */
  #loadsEntry = false;
  #settleTimer: NodeJS.Timeout | undefined;

  /** To be made before the app is evaluated. */
  constructor(options: ServingOptions) {
    this.#options = options;
    const { listen, observer, reports, opening, enqueue } = options;
    this.#start = new StartWatch({
      listening: () => listen.listening().length,
      opening,
      settled: () => reports.send({ type: "startSettled" }),
    });
    this.#begun = new BegunWork({
      needed: () => this.#portsWait || listen.awaitsAdoption,
      unlistened: () => listen.unlistened,
      done: () => {
        observer.within = undefined;
        enqueue(() => this.#begunWorkDone());
      },
    });
    listen.onSuperseded = () => this.#watchBegunWork()();
  }

  /** A start is evaluated, until the returned function is called. `portsWait`: ports are open that wait for its servers. */
  watchStart(portsWait: boolean): () => void {
    this.#portsWait = portsWait;
    return portsWait ? this.#watchBegunWork() : () => {};
  }

  /** Servers may have been released by a plan, until the returned function is called. */
  watchPlan(): () => void {
    return this.#portsWait || this.#options.listen.awaitsAdoption ? this.#watchBegunWork() : () => {};
  }

  /** The start has been evaluated, and served. */
  started(): void {
    this.#start.begin();
    this.settleLater();
  }

  /** Serves what the entry exports, when it has not opened a server itself. */
  async serve(): Promise<"listening" | "exported" | "pending"> {
    const { listen, runtime, waits, order } = this.#options;
    return waits.during("the exported app", order.entry, this.#serve(listen, runtime));
  }

  begin({ load }: RuntimePlan): void {
    this.#loadsEntry = load.includes(this.#options.order.entry);
  }

  async commit(): Promise<void> {
    if (!this.#loadsEntry) return;
    // An entry that opened its own server will do so again, perhaps later; one that was served has to be served again.
    this.#mayExport = this.#options.listen.plan.servedItself;
    if (!this.#mayExport) await this.serve();
  }

  /**
   * An entry's `async main()` goes on after its evaluation; what it reads until it listens counts as read at the start.
   * One turn after it listens, nothing of the start is left but files that it still reads.
   */
  settleLater(): void {
    clearTimeout(this.#settleTimer);
    const delayMs = this.#options.listen.listening().length > 0 ? 0 : START_READS_MS;
    const end = performance.now() + delayMs + LATE_READS_MS;
    this.#settleTimer = setTimeout(() => this.#settle(end), delayMs).unref();
  }

  #settle(end: number): void {
    const { runtime, settled } = this.#options;
    if (runtime.isReading && performance.now() < end) {
      this.#settleTimer = setTimeout(() => this.#settle(end), READS_POLL_MS).unref();
    } else settled();
  }

  /** Resolves when what a plan has evaluated reads no files any more, or has taken too long. */
  async filesRead(): Promise<void> {
    const { runtime } = this.#options;
    if (runtime.isReading) await lookUntil(() => !runtime.isReading, READS_POLL_MS, performance.now() + LATE_READS_MS);
  }

  close(): void {
    this.#start.end();
    this.#begun.close();
  }

  async #serve(listen: VirtualListen, runtime: Runtime): Promise<"listening" | "exported" | "pending"> {
    if (listen.listening().length > 0) return "listening";
    const { entry, app, fallback } = this.#options.order;
    await runtime.import(entry);
    const server = await serveExported(runtime.exportsOf(entry), { app });
    if (!server) return "pending";
    // Ports that nobody has adopted must not be closed before this one is open; a name may take time to look up.
    await wait(listen.listenExported(server, entry, fallback), { deadlineMs: EXPORTED_LISTEN_MS });
    return "exported";
  }

  #watchBegunWork(): () => void {
    this.#begun.begin();
    this.#options.observer.within = this.#begun.within;
    return () => this.#begun.end();
  }

  /** Nothing goes on that may still listen. An entry that opened its own server before may export an app now. */
  async #begunWorkDone(): Promise<void> {
    // Another plan came first, and begins something itself.
    if (this.#begun.active) return;
    const { listen, runtime, reports, generation } = this.#options;
    if (this.#mayExport) {
      this.#mayExport = false;
      try {
        await this.#serve(listen, runtime);
      } catch (error) {
        reports.log("error", `the exported app cannot be served: ${reports.serialize(error).message}`);
      }
    }
    this.#portsWait = false;
    listen.giveUpUnadopted();
    reports.send({ type: "begunWorkDone", generation: generation() });
  }
}
