/** One app in this thread: carries out the supervisor's orders one after the other, and reports. */
import { createRequire } from "node:module";
import path from "node:path";
import type { MessagePort } from "node:worker_threads";
import type * as compilerModule from "../src/compile/compiler.js";
import { type ControlPort, openControlPort } from "../src/protocol/control-port.js";
import type { BootOrder, PublicAddress, SupervisorOrder, WorkerReport } from "../src/protocol/messages.js";
import { reviveError, type SerializedError, serializeError } from "../src/protocol/serialized-error.js";
import { Calls } from "./calls.js";
import { Ledger } from "./ledger/ledger.js";
import { serveExported } from "./listener/exported-app.js";
import { installVirtualListen, type ListenRequest, type VirtualListen } from "./listener/virtual-listen.js";
import { adaptProcess, deliverSignal } from "./process.js";
import { Purge } from "./purge.js";
import { Observer } from "./runtime/observer.js";
import { Runtime } from "./runtime/runtime.js";

type OrderOf<Type extends SupervisorOrder["type"]> = Extract<SupervisorOrder, { type: Type }>;

/** How long `listen()` sleeps for the main thread's answer before it goes on without. */
const LISTEN_ANSWER_MS = 2000;
/** An entry that has neither served nor listened after this time has no start to wait for. */
const SETTLE_MS = 10_000;

export class AppSession {
  /** Settles when the supervisor has told the app to stop. */
  readonly ended: Promise<void>;
  readonly #order: BootOrder;
  readonly #control: ControlPort<WorkerReport>;
  readonly #observer = new Observer();
  readonly #ledger: Ledger;
  readonly #purge: Purge;
  readonly #runtime: Runtime;
  readonly #listen: VirtualListen;
  readonly #calls: Calls;
  #compiler: compilerModule.Compiler | undefined;
  /** Computed specifiers that main has been told of; as many as the app has. */
  readonly #lookups = new Set<string>();
  /** What main has been told of the graph: a plan that was made without one of these reports is refused. */
  #reportsSent = 0;
  /** Listen id -> who asked; from the request to its answer. */
  readonly #listens = new Map<number, { resolve(address: PublicAddress): void; reject(error: Error): void }>();
  /** Orders that evaluate or purge run one at a time, in the order they came. */
  #queue: Promise<void> = Promise.resolve();
  #settleTimer: NodeJS.Timeout | undefined;
  #end: () => void = () => {};

  constructor(order: BootOrder, port: MessagePort) {
    this.#order = order;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#control = openControlPort<WorkerReport, SupervisorOrder>(
      port,
      (value) => value as SupervisorOrder,
      (message) => this.#obey(message),
    );
    adaptProcess({
      entry: order.entry,
      args: order.args,
      variables: order.variables,
      onExit: (code) => this.#control.send({ type: "exitRequested", code }),
      onCrash: (error) => this.#control.send({ type: "crashed", error: this.#serialize(error) }),
    });
    this.#ledger = new Ledger({
      observer: this.#observer,
      failed: (file, what, error) => this.#purgeFailed(file, `undoing ${what}`, error),
    });
    this.#purge = new Purge({
      steps: [{ name: "ledger", run: ({ edges }) => this.#ledger.holds(edges) && this.#ledger.undo(edges) }],
      failed: (file, step, error) => this.#purgeFailed(file, step, error),
    });
    this.#runtime = this.#createRuntime();
    this.#runtime.install();
    this.#listen = installVirtualListen({
      table: new Int32Array(order.connectionTable),
      socketFolder: order.socketFolder,
      requestListen: (request) => this.#requestListen(request),
      reportClosed: (listenId) => this.#control.send({ type: "serverClosed", listenId }),
      reportReleased: (listenId) => this.#control.send({ type: "serverReleased", listenId }),
      currentModule: () => this.#runtime.currentModule(),
      answerTimeoutMs: LISTEN_ANSWER_MS,
    });
    this.#calls = new Calls({
      entry: async () => (await this.#runtime.import(order.entry)) as Record<string, unknown>,
      begin: () => this.#listen.beginCall(),
      send: (report) => this.#control.send(report),
      serialize: (error) => this.#serialize(error),
    });
    this.#control.send({ type: "started" });
  }

  #createRuntime(): Runtime {
    const { root, conditions, cacheFolder, entry } = this.#order;
    // Loaded when it is needed, which most apps never do: main compiles ahead. Its native parts would delay every start.
    const loaded = (): compilerModule.Compiler => {
      if (!this.#compiler) {
        const { Compiler } = createRequire(import.meta.url)("../src/compile/compiler.js") as typeof compilerModule;
        this.#compiler = new Compiler({ root, conditions, cacheFolder });
      }
      return this.#compiler;
    };
    return new Runtime(
      {
        prepare: (file) => loaded().prepare(file),
        resolve: (specifier, importer, kind) => {
          const lookup = JSON.stringify([specifier, importer, kind]);
          if (!this.#lookups.has(lookup)) {
            this.#lookups.add(lookup);
            this.#control.send({ type: "specifierLookedUp", specifier, importer, kind });
          }
          return loaded().resolve(specifier, importer, kind);
        },
        sourceMap: (compiled) => loaded().sourceMap(compiled),
        written: (file) => this.#control.send({ type: "fileWritten", file }),
        discovered: (module) => {
          this.#reportsSent++;
          this.#control.send({ type: "modulesDiscovered", modules: [module] });
        },
        loaded: (modules) => {
          this.#reportsSent++;
          this.#control.send({ type: "modulesLoaded", loaded: modules });
        },
      },
      { entry, root, observer: this.#observer },
    );
  }

  #obey(message: SupervisorOrder): void {
    switch (message.type) {
      case "addModules":
        this.#runtime.add(message.modules);
        break;
      case "evaluate":
        this.#enqueue(() => this.#evaluate());
        break;
      case "applyPlan":
        this.#enqueue(() => this.#applyPlan(message));
        break;
      case "settleListen":
        this.#settleListen(message);
        break;
      case "releaseRequests":
        this.#listen.releaseRequests();
        break;
      case "call":
        // Behind a plan that is being applied; what comes behind it does not wait for its end.
        this.#enqueue(async () => void this.#calls.run(message));
        break;
      case "abortCall":
        this.#calls.abort(message);
        break;
      case "signal":
        deliverSignal(message.signal);
        break;
      case "stop":
        this.#enqueue(() => this.#stop(message));
        break;
      default:
        message satisfies never;
    }
  }

  /** A failure in here is the supervisor's own, not the app's: it ends the thread, as any uncaught exception. */
  #enqueue(run: () => Promise<void>): void {
    this.#queue = this.#queue.then(run);
  }

  async #evaluate(): Promise<void> {
    const { entry, preload } = this.#order;
    try {
      await this.#runtime.load([...preload, entry]);
      const serves = await this.#serve();
      this.#control.send({ type: "evaluated", loaded: this.#runtime.takeLoaded(), serves });
      this.#settleLater();
    } catch (error) {
      this.#control.send({ type: "evaluateFailed", loaded: this.#runtime.takeLoaded(), error: this.#serialize(error) });
    }
  }

  async #applyPlan(plan: OrderOf<"applyPlan">): Promise<void> {
    await this.#listen.drained(plan.drainMs);
    this.#runtime.deliverEdges();
    if (plan.reportsSeen < this.#reportsSent) {
      this.#control.send({ type: "planOutdated", planId: plan.planId });
      return;
    }
    const servers = this.#listen.listening();
    if (plan.lookupsChanged) this.#compiler?.forget();
    try {
      const { loaded, purged } = await this.#runtime.applyPlan({
        purge: plan.purge,
        load: plan.load,
        modules: plan.modules,
        relinked: plan.relinked,
        forget: plan.forget,
        purging: (version) => this.#purge.run(version),
        rolledBack: () => this.#ledger.undoWhere((version) => !this.#runtime.isCurrent(version)),
        beforeEvaluate: (files) => this.#listen.release(new Set(files)),
      });
      const before = servers.map(({ server }) => server);
      const servesItself = before.length > 0 && !before.some((server) => this.#listen.isExported(server));
      // An entry that opened its own server will do so again, perhaps later; one that was served has to be served again.
      if (plan.load.includes(this.#order.entry) && !servesItself) await this.#serve();
      this.#purge.takeEffects();
      this.#control.send({
        type: "planApplied",
        planId: plan.planId,
        purged: purged.map((file) => ({ file, classes: [] })),
        loaded,
      });
    } catch (error) {
      this.#listen.restore(servers);
      const file = this.#runtime.fileOf(error);
      this.#control.send({
        type: "planFailed",
        planId: plan.planId,
        ...(file !== undefined && { file }),
        damaged: this.#purge.takeEffects(),
        error: this.#serialize(error),
      });
    }
    this.#settleLater();
  }

  /** Serves what the entry exports, when it has not opened a server itself. */
  async #serve(): Promise<"listening" | "exported" | "pending"> {
    if (this.#listen.listening().length > 0) return "listening";
    const { entry, app, fallback } = this.#order;
    const namespace = await this.#runtime.import(entry);
    const server = await serveExported(namespace as Record<string, unknown>, { app });
    if (!server) return "pending";
    this.#listen.listenExported(server, entry, fallback);
    return "exported";
  }

  /**
   * An entry's `async main()` goes on after its evaluation; what it reads until it listens counts as read at the start.
   * One turn after it listens, nothing of the start is left.
   */
  #settleLater(): void {
    clearTimeout(this.#settleTimer);
    const listening = this.#listen.listening().length > 0;
    this.#settleTimer = setTimeout(() => this.#runtime.settle(), listening ? 0 : SETTLE_MS).unref();
  }

  #requestListen(request: ListenRequest): Promise<PublicAddress> {
    return new Promise((resolve, reject) => {
      this.#listens.set(request.listenId, { resolve, reject });
      this.#control.send({ type: "listenRequested", ...request });
    });
  }

  #settleListen({ listenId, address, error }: OrderOf<"settleListen">): void {
    const asked = this.#listens.get(listenId);
    this.#listens.delete(listenId);
    if (address !== undefined) asked?.resolve(address);
    else asked?.reject(reviveError(error ?? { name: "Error", message: "the port could not be opened" }));
    this.#settleLater();
  }

  async #stop({ drainMs }: OrderOf<"stop">): Promise<void> {
    await this.#listen.drained(drainMs);
    this.#end();
  }

  /** A purge goes on without what has failed in it. */
  #purgeFailed(file: string, step: string, error: unknown): void {
    const shown = path.relative(this.#order.root, file);
    const { message } = this.#serialize(error);
    this.#control.send({ type: "logged", level: "warn", message: `purging ${shown}: ${step} failed: ${message}` });
  }

  #serialize(error: unknown): SerializedError {
    return serializeError(error, (one) => this.#runtime.locate(one));
  }
}
