/** One app in this thread: carries out the supervisor's orders one after the other, and reports. */

import { setImmediate as nextTurn } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { EMPTY_APP_MS, FAILED_START_MS, FLUSH_MS, HOOK_MS } from "../src/common/deadlines.js";
import { openControlPort } from "../src/common/protocol/control-port.js";
import type { WorkerReport } from "../src/common/protocol/messages.js";
import type { AppTask, BootOrder, LateOrder, SupervisorOrder } from "../src/common/protocol/orders.js";
import { withDeadline } from "../src/common/wait.js";
import { AbandonedError, type Abandonment } from "./abandonment.js";
import { loadAdapters } from "./adapters/load-adapters.js";
import { PlanApplication } from "./apply-plan.js";
import { type AppParts, assemble } from "./assemble.js";
import { closeInspector, openInspector } from "./inspector.js";
import { LoopHold, openPorts } from "./loop-hold.js";
import { OrderQueue } from "./order-queue.js";
import { ListenedSignals } from "./signals/listened-signals.js";
import { SignalEnd } from "./signals/signal-end.js";
import { SignalOrders } from "./signals/signal-orders.js";
import { FailedStart } from "./start/failed-start.js";
import { threadWaits } from "./thread-waits.js";
import { UnsettledAwait } from "./unsettled-await.js";

type OrderOf<Type extends SupervisorOrder["type"]> = Extract<SupervisorOrder, { type: Type }>;

/** Of the event loop, before the thread ends: to read what has been sent, and to write the answer (HTTP/2 writes a turn later). */
const LAST_TURNS = 5;

export class AppSession {
  /** Settles when the supervisor has told the app to stop. */
  readonly ended: Promise<void>;
  #order: BootOrder;
  readonly #send: (report: WorkerReport) => void;
  readonly #loop: LoopHold;
  readonly #queue: OrderQueue;
  readonly #parts: AppParts;
  readonly #plans: PlanApplication;
  #subclassesReported = false;
  #awaitsInput = false;
  readonly #signals: ListenedSignals;
  readonly #signalEnd: SignalEnd;
  readonly #signalOrders: SignalOrders;
  /** Of the app's modules, in a thread that ends by it when main says so. */
  #failed: FailedStart | undefined;
  /** What the entry has thrown, and the app's listeners have taken. */
  #raised: { readonly error: unknown } | undefined;
  #end: () => void = () => {};
  /** While the entry is evaluated. */
  #unsettled: UnsettledAwait | undefined;

  constructor({ order, port, process }: AppTask) {
    this.#order = order;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const control = openControlPort<WorkerReport, SupervisorOrder>(
      port,
      (value) => value as SupervisorOrder,
      (message) => this.#obey(message),
    );
    // The control port is one of them from here on.
    this.#loop = new LoopHold(openPorts());
    this.#send = (report) => {
      if (report.type === "inputWanted") this.#awaitInput(true);
      control.send(report);
    };
    this.#queue = new OrderQueue({ waits: order.waits === true, failed: (error) => this.#crash(error) });
    this.#parts = assemble(order, {
      send: this.#send,
      loop: this.#loop,
      queue: this.#queue,
      settled: () => this.#settled(),
      ending: (byItself) => this.#unsettled?.ending(byItself),
      process,
    });
    this.#plans = new PlanApplication(this.#parts);
    const { heart, observer, listen } = this.#parts;
    const nobodys = <Result>(run: () => Result): Result => observer.nobodys(run);
    this.#signals = new ListenedSignals({
      tell: (signals) => this.#send({ type: "signalsListened", signals }),
      deliver: (signal) => this.#signalOrders.emit(signal),
      board: () => heart.board,
      waits: order.waits === true,
    });
    this.#signals.install();
    this.#signalEnd = new SignalEnd({
      loop: this.#loop,
      nobodys,
      onClosing: (closes) => {
        listen.onClosing = closes;
      },
      isClosing: () => listen.isClosing,
      leaveServers: () => listen.leaveServers(),
    });
    this.#signalOrders = new SignalOrders({
      listened: this.#signals,
      end: this.#signalEnd,
      send: this.#send,
      nobodys,
      behind: (run) => this.#held((done) => this.#queue.add(() => done(Promise.resolve().then(run)))),
    });
    this.#send({ type: "started" });
  }

  #obey(message: SupervisorOrder): void {
    const { heart, runtime, listens, listen, observer, calls, stale, streams, mainThread } = this.#parts;
    // Orders that follow each other closely (each answer brings the next) leave the timers no turn.
    heart.board.beat();
    switch (message.type) {
      case "loadAhead":
        this.#loadAhead(message);
        break;
      case "begin":
        this.#takeOver(message.order);
        break;
      case "addModules":
        runtime.add(message.modules);
        break;
      case "openInspector":
        this.#openInspector(message);
        break;
      case "evaluate":
        // From here on the thread is the app's, and ends when that has nothing to do: in the middle of an evaluation, too.
        if (this.#order.endsByItself) this.#loop.letGo();
        this.#queue.addAbandonable(0, (abandonment) => this.#evaluate(message, abandonment));
        break;
      case "applyPlan":
        this.#held((done) =>
          this.#queue.addAbandonable(message.planId, (abandonment) => {
            this.#holdForAWhile();
            return done(this.#signals.duringPlan(() => this.#plans.apply(message, abandonment)));
          }),
        );
        break;
      case "abandonPlan":
        this.#queue.abandon(message.planId);
        break;
      case "answerListen":
        listens.answer(message);
        this.#parts.serving.settleLater();
        break;
      case "listenAgain":
        if (listen.listenAgain(message.listenId)) this.#send({ type: "listensAgain", listenId: message.listenId });
        break;
      case "sayInstead":
        listen.sayInstead(message.page);
        break;
      case "passRequests":
        listen.passRequests();
        break;
      case "call":
        // Behind a plan that is being applied; what comes behind it does not wait for its end.
        this.#held((done) => this.#queue.add(async () => void done(observer.nobodys(() => calls.run(message)))));
        break;
      case "abortCall":
        calls.abort(message);
        break;
      case "signal":
      case "endBySignal":
        this.#signalOrders.obey(message);
        break;
      case "giveMessage":
      case "messageWritten":
      case "parentLeft":
        mainThread.channel?.obey(message);
        break;
      case "giveInput":
        streams.input?.give(message.unread);
        this.#awaitInput(false);
        break;
      case "leaveInput":
        streams.input?.leave(false);
        break;
      case "terminalSignal":
        this.#signalOrders.emit(message.signal);
        break;
      case "announceFailure":
        this.#held((done) => this.#queue.add(() => done(this.#announceFailure(message))));
        break;
      case "tellWaits":
        this.#send({ type: "waitsTold", requestId: message.requestId, waits: threadWaits(this.#parts) });
        break;
      case "tellCreated":
        this.#send({
          type: "createdTold",
          requestId: message.requestId,
          created: this.#parts.ledger.listAll(),
          heapBytes: getHeapStatistics().used_heap_size,
        });
        break;
      case "checkStaleReferences":
        this.#held((done) => this.#queue.add(() => done(stale.check(message.requestId))));
        break;
      case "writeHeapSnapshot":
        this.#held((done) => this.#queue.add(() => done(stale.snapshot(message.requestId, message.file))));
        break;
      case "stop":
        // Main ends the thread.
        this.#loop.hold();
        this.#queue.abandonAll();
        this.#queue.add(() => this.#stop(message));
        break;
      default:
        message satisfies never;
    }
  }

  /** Who reads standard input has something to wait for, also before it is this thread's turn. */
  #awaitInput(does: boolean): void {
    if (does === this.#awaitsInput) return;
    this.#awaitsInput = does;
    if (does) this.#loop.hold();
    else this.#loop.letGo();
  }

  /** An order that has come is carried out, although the app may have nothing left to do. */
  #held(carryOut: (done: (work: Promise<void>) => Promise<void>) => void): void {
    this.#loop.hold();
    carryOut((work) => work.finally(() => this.#loop.letGo()));
  }

  /** An entry that is empty in the middle of a save has nothing to do, and the next save wants its thread. */
  #holdForAWhile(): void {
    this.#loop.hold();
    setTimeout(() => this.#loop.letGo(), EMPTY_APP_MS).unref();
  }

  /**
   * A failure of an order is the supervisor's own, not the app's: it ends the thread, also of an app that listens for such
   * rejections, since what comes behind it in the queue would never run.
   */
  #crash(error: unknown): void {
    this.#send({ type: "crashed", error: this.#parts.reports.serialize(error) });
    process.exit(1);
  }

  #openInspector(address: OrderOf<"openInspector">): void {
    const problem = openInspector(address);
    if (problem !== undefined) this.#parts.reports.log("warn", problem);
  }

  #loadAhead({ requests }: OrderOf<"loadAhead">): void {
    const { packagesAhead } = this.#parts;
    if (packagesAhead) this.#send({ type: "loadedAhead", ...packagesAhead.load([...requests]) });
  }

  /** A thread that has waited is the app's from here on. */
  #takeOver({ environment, ...late }: LateOrder): void {
    const { heart, life, streams } = this.#parts;
    streams.epoch = late.epoch;
    this.#order = { ...this.#order, ...late };
    heart.moveTo(late.board);
    life.generation = late.generation;
    this.#signals.open();
    for (const [name, value] of Object.entries(environment)) {
      if (value === null) delete process.env[name];
      else process.env[name] = value;
    }
    this.#queue.open();
  }

  async #evaluate({ portsWait }: OrderOf<"evaluate">, abandonment: Abandonment): Promise<void> {
    const { entry, nodePreloads, preload, adapters, exits } = this.#order;
    const { serving, waits, ownAdapters, classes, packagesAhead, runtime, compiler, reports, mainThread } = this.#parts;
    const { heart, packageFiles } = this.#parts;
    mainThread.begin(this.#order.epoch);
    const endWatching = serving.watchStart(portsWait);
    this.#unsettled = new UnsettledAwait({
      waiting: () => runtime.waiting(),
      sourceMap: (compiled) => compiler.sourceMap(compiled),
    });
    try {
      for (const file of adapters) ownAdapters.push(...(await waits.during("the adapters", file, loadAdapters(file))));
      classes.purge.begin();
      packagesAhead?.begin();
      // Of a thread that waits nobody takes it in.
      heart.beating = () => packageFiles.tell();
      const loading = runtime.load([...preload, entry], nodePreloads, (error) => void (exits && this.#raise(error)));
      const isPartial = await abandonment.until(loading).then(
        () => false,
        (error) => this.#goesOnWithout(error),
      );
      await classes.purge.commit();
      const serves = isPartial ? "pending" : await abandonment.until(serving.serve());
      const packages = packagesAhead?.end();
      const loaded = runtime.takeLoaded();
      this.#send({ type: "evaluated", loaded, serves, isPartial, ...(packages && { packages }) });
      serving.started();
      runtime.swapping.started();
    } catch (error) {
      packagesAhead?.recorder.abandon();
      // What is missing may come.
      packageFiles.tell();
      this.#send({ type: "evaluateFailed", loaded: runtime.takeLoaded(), error: reports.serialize(error) });
      // The app's listeners come last: they may end the thread.
      this.#failed?.tell();
    } finally {
      this.#unsettled.over();
      endWatching();
    }
  }

  /** What modules have thrown. True: the app's listeners have taken it, and the thread goes on as a process would (`--exit`). */
  #goesOnWithout(error: unknown): boolean {
    if (error instanceof AbandonedError) throw error;
    if (!this.#order.exits) {
      this.#failed = new FailedStart(error, this.#order, this.#parts.runtime);
      throw error;
    }
    if (this.#raised?.error !== error) this.#raise(error);
    return true;
  }

  /** As Node does: the app's listeners are called, or the thread ends. */
  #raise(error: unknown): void {
    this.#raised = { error };
    new FailedStart(error, this.#order, this.#parts.runtime).raise();
  }

  /** Nothing that an evaluation has begun goes on any more. */
  #settled(): void {
    const { runtime, classes } = this.#parts;
    runtime.settle();
    if (this.#subclassesReported) return;
    // Names of the subclass filter that mean nothing, once the app has been loaded.
    this.#subclassesReported = true;
    const { names, seen } = classes.unknownNames();
    if (names.length > 0) this.#send({ type: "subclassesUnknown", names, seen });
  }

  async #announceFailure({ error }: OrderOf<"announceFailure">): Promise<void> {
    const { message, stack = "", frame, location } = error;
    await this.#parts.life.hot.announceFailure({ message, stack, frame, ...(location && { loc: location }) });
  }

  async #stop({ drainMs, restarts }: OrderOf<"stop">): Promise<void> {
    const { listen, life, serving, stale, adapters, streams } = this.#parts;
    const disposing = (deadlineMs: number) => this.#send({ type: "disposing", deadlineMs });
    if (restarts) streams.input?.leave(true);
    // Two threads cannot be debugged at one address.
    if (restarts) closeInspector();
    if (this.#failed?.goesOn) {
      disposing(FAILED_START_MS);
      await this.#failed.over(FAILED_START_MS);
    }
    const end = performance.now() + drainMs;
    await (restarts ? listen.deserted(drainMs) : listen.requests.drained(drainMs));
    // Shutdown hooks, as Nest has them, take their time like a request; those that take too long are left behind.
    if (!restarts) await this.#signalEnd.over(Math.max(0, end - performance.now()));
    if (restarts) await withDeadline(life.hot.announceRestart(), HOOK_MS).catch(() => undefined);
    await life.end(disposing);
    closeInspector();
    serving.close();
    stale.close();
    await adapters.end(disposing);
    // What was sent before the order to stop has come by then, and is refused where another worker takes over.
    for (let turn = 0; turn < LAST_TURNS; turn++) await nextTurn();
    streams.input?.leave(true);
    await withDeadline(streams.flushed(), FLUSH_MS).catch(() => undefined);
    listen.endSessions();
    // An app that listens ends as a process that has nothing left to do: its "exit" listeners run, and its code counts. So
    // does one whose start has failed.
    if (this.#failed || (this.#signalEnd.isHeard && !restarts)) process.exit();
    this.#end();
  }
}
