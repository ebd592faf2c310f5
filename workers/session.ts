/** One app in this thread: carries out the supervisor's orders one after the other, and reports. */
import { createRequire } from "node:module";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import type * as compilerModule from "../src/common/compile/compiler.js";
import { EXPORTED_LISTEN_MS, HOOK_MS, LISTEN_ANSWER_MS, START_READS_MS } from "../src/common/deadlines.js";
import { serveExported } from "../src/common/exported-app/exported-app.js";
import type { Adapter } from "../src/common/protocol/adapter.js";
import { type ControlPort, openControlPort } from "../src/common/protocol/control-port.js";
import { LATE_LOOKUPS, NewestKeys } from "../src/common/protocol/late-lookups.js";
import type {
  BootOrder,
  LateOrder,
  PublicAddress,
  SupervisorOrder,
  ThreadWait,
  WorkerReport,
} from "../src/common/protocol/messages.js";
import { OwnConnections } from "../src/common/protocol/own-connections.js";
import { reviveError, type SerializedError, serializeError } from "../src/common/protocol/serialized-error.js";
import { BEAT_MS, END_SESSIONS, ThreadBoard } from "../src/common/protocol/thread-board.js";
import { wait, withDeadline } from "../src/common/wait.js";
import { Abandonment } from "./abandonment.js";
import { Adapters } from "./adapters/attach.js";
import { builtInAdapter } from "./adapters/built-in-adapters.js";
import { loadAdapters } from "./adapters/load-adapters.js";
import { PackageLoads } from "./adapters/package-loads.js";
import { Calls } from "./calls.js";
import { OwnClasses } from "./classes/own-classes.js";
import { startHeartbeat } from "./heartbeat.js";
import { AppLife } from "./hot/app-life.js";
import { closeInspector, openInspector } from "./inspector.js";
import { keepWritten } from "./last-lines.js";
import { EnvironmentReads } from "./ledger/environment-reads.js";
import { installLedger } from "./ledger/install.js";
import { Ledger } from "./ledger/ledger.js";
import { PackageRegistrations } from "./ledger/package-registrations.js";
import { LeftoverRejections } from "./leftover-rejections.js";
import { installVirtualListen, type ListenRequest, type VirtualListen } from "./listener/virtual-listen.js";
import { Monitored } from "./monitored/monitored.js";
import { adaptProcess, deliverSignal } from "./process.js";
import { Purge } from "./purge.js";
import type { ModuleVersion } from "./runtime/module-record.js";
import { Observer } from "./runtime/observer.js";
import { Runtime } from "./runtime/runtime.js";
import { type GoneVersion, StaleReports } from "./stale/stale-reports.js";
import { PackagesAhead } from "./standby/packages-ahead.js";
import { BegunWork } from "./start/begun-work.js";
import { StartWatch } from "./start/start-watch.js";
import { evaluatingWait, Waits } from "./waits.js";

type OrderOf<Type extends SupervisorOrder["type"]> = Extract<SupervisorOrder, { type: Type }>;

/** Of the event loop, before the thread ends: to read what has been sent, and to write the answer (HTTP/2 writes a turn later). */
const LAST_TURNS = 5;

export class AppSession {
  /** Settles when the supervisor has told the app to stop. */
  readonly ended: Promise<void>;
  #order: BootOrder;
  #board: ThreadBoard;
  #stopHeartbeat: () => void;
  readonly #control: ControlPort<WorkerReport>;
  readonly #observer = new Observer();
  readonly #ledger: Ledger;
  readonly #adapters: Adapters;
  /** Those of the option `adapters`. */
  readonly #ownAdapters: Adapter[] = [];
  readonly #packageLoads: PackageLoads;
  readonly #packageRegistrations: PackageRegistrations;
  readonly #monitored: Monitored;
  /** What the plan under way could not take out of packages. */
  readonly #stuck: { file: string; what: string }[] = [];
  readonly #life: AppLife;
  readonly #purge: Purge;
  readonly #waits = new Waits();
  readonly #leftovers: LeftoverRejections;
  readonly #runtime: Runtime;
  readonly #classes: OwnClasses;
  readonly #listen: VirtualListen;
  readonly #calls: Calls;
  readonly #stale: StaleReports;
  /** Undefined: no standby thread is wanted. */
  readonly #packagesAhead: PackagesAhead | undefined;
  readonly #environmentReads = new EnvironmentReads();
  /** How often the app has written to stdout and stderr. */
  #writes = 0;
  /** Lets a thread that waits carry out what it is told. */
  #begin: () => void = () => {};
  readonly #start: StartWatch;
  readonly #begun: BegunWork;
  /** Public ports of earlier threads wait for servers of this one. */
  #portsWait = false;
  /** The entry was evaluated again, opened its own server before, and what it exports has not been looked at. */
  #mayExport = false;
  #compiler: compilerModule.Compiler | undefined;
  /** Computed specifiers that main has been told of, the newest of them: clients may come up with any number. */
  readonly #lookups = new NewestKeys(LATE_LOOKUPS);
  /** What main has been told of the graph: a plan that was made without one of these reports is refused. */
  #reportsSent = 0;
  /** Listen id -> who asked; from the request to its answer. */
  readonly #listens = new Map<number, { resolve(address: PublicAddress): void; reject(error: Error): void }>();
  /** Orders that evaluate or purge run one at a time, in the order they came. */
  #queue: Promise<void> = Promise.resolve();
  /** What is carried out now and can be given up; its number is 0 for the start. */
  #underWay: { readonly planId: number; readonly abandonment: Abandonment } | undefined;
  /** The newest plan that was given up: it may still be in the queue. */
  #abandonedPlan = -1;
  /** Requests or calls were under way when the last plan was applied, and may be still. */
  #othersRun = false;
  #settleTimer: NodeJS.Timeout | undefined;
  #subclassesReported = false;
  /** Settles when the app's listeners for a signal are done. */
  #signalled: Promise<void> = Promise.resolve();
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
    this.#board = new ThreadBoard(order.board);
    this.#stopHeartbeat = startHeartbeat(this.#board);
    keepWritten((bytes) => {
      this.#writes++;
      this.#board.write(bytes);
    });
    if (order.waits) {
      this.#queue = new Promise((resolve) => {
        this.#begin = resolve;
      });
    }
    if (order.records) this.#packagesAhead = this.#createPackagesAhead();
    adaptProcess({
      entry: order.entry,
      args: order.args,
      variables: order.variables,
      onExit: (code) => {
        this.#control.send({ type: "exitRequested", code });
        this.#cutOff();
      },
      onCrash: (error) => {
        this.#control.send({ type: "crashed", error: this.#serialize(error) });
        this.#cutOff();
      },
    });
    this.#ledger = new Ledger({
      observer: this.#observer,
      waits: this.#waits,
      failed: (file, what, error) => this.#purgeFailed(file, `undoing ${what}`, error),
    });
    this.#adapters = new Adapters({
      ledger: this.#ledger,
      adaptersFor: (name) => this.#adaptersFor(name),
      uses: (file) => void this.#ledger.owner?.observe(file),
      shown: (file) => path.relative(order.root, file),
      warn: (message) => this.#control.send({ type: "logged", level: "warn", message }),
    });
    this.#packageLoads = new PackageLoads({
      wants: (name) => this.#adapters.wants(name),
      loaded: (found) => {
        this.#runtime.adapted(found.exports);
        this.#adapters.packageLoaded(found);
      },
    });
    this.#packageLoads.install();
    this.#leftovers = new LeftoverRejections(this.#observer);
    this.#packageRegistrations = new PackageRegistrations({
      ledger: this.#ledger,
      observer: this.#observer,
      isPassive: (file) => this.#runtime.isPassive(file),
      isOwnClass: (made) => this.#runtime.classes.find(made) !== undefined,
      stuck: (file, what) => void this.#stuck.push({ file, what }),
    });
    this.#monitored = new Monitored({
      ...order,
      waits: this.#waits,
      runtime: () => this.#runtime,
      owner: () => this.#observer.owner,
      outside: (run) => this.#observer.outside(run),
      record: (what, undo, owner) => this.#ledger.record(what, undo, owner),
      failed: (file, what, error) => this.#purgeFailed(file, what, error),
    });
    this.#life = this.#createLife();
    this.#life.install();
    this.#purge = new Purge({
      waits: this.#waits,
      steps: [
        ...this.#life.purgeSteps,
        { name: "ledger", run: ({ edges }) => this.#ledger.holds(edges) && this.#ledger.undo(edges) },
        { name: "adapters", waitsFor: "the clean-up in packages", run: (version) => this.#purgeInAdapters(version) },
        { name: "classes", waitsFor: "the purge of the classes", run: ({ edges }) => this.#classes.purge.purge(edges) },
      ],
      failed: (file, step, error) => this.#purgeFailed(file, step, error),
    });
    this.#runtime = this.#createRuntime();
    this.#classes = new OwnClasses({
      runtime: this.#runtime,
      ledger: this.#ledger,
      subclasses: order.subclasses,
      classesOf: (file) => this.#monitored.classNamesOf(file),
      failed: (file, what, error) => this.#purgeFailed(file, what, error),
      refused: (file, name, because) => this.#notReopened(file, name, because),
    });
    this.#observer.inUse = () => this.#othersRun || this.#listen.listening().length > 0;
    this.#runtime.install();
    this.#listen = installVirtualListen({
      table: new Int32Array(order.connectionTable),
      ownConnections: new OwnConnections(order.ownConnections),
      socketFolder: order.socketFolder,
      requestListen: (request) => this.#requestListen(request),
      reportClosed: (listenId) => this.#control.send({ type: "serverClosed", listenId }),
      reportReleased: (listenId) => this.#control.send({ type: "serverReleased", listenId }),
      currentModule: () => this.#runtime.currentModule(),
      sessionsChanged: (open) => {
        this.#board.sessions = open;
      },
      clock: () => this.#board.beats * BEAT_MS,
      heldDeadlineMs: order.heldDeadlineMs,
      answerTimeoutMs: LISTEN_ANSWER_MS,
    });
    // For a thread that is blocked and takes no orders.
    Object.defineProperty(process, Symbol.for(END_SESSIONS), {
      value: () => this.#listen.endSessions(),
      configurable: true,
    });
    this.#calls = new Calls({
      entry: async () => {
        await this.#runtime.import(order.entry);
        return this.#runtime.exportsOf(order.entry);
      },
      begin: () => this.#listen.beginCall(),
      send: (report) => this.#control.send(report),
      serialize: (error) => this.#serialize(error),
    });
    this.#stale = new StaleReports({
      send: (report) => this.#control.send(report),
      now: () => this.#listen.now(),
      whileBlocked: (run) => this.#board.excuse(run),
      busy: () => this.#listen.inFlight > 0,
      // What a debugger shows, it holds.
      oldestInUse: () => (order.debuggable ? 0 : this.#listen.oldestInUse()),
    });
    this.#leftovers.install((file, reason) => this.#leftoverFailed(file, reason));
    this.#packageRegistrations.install();
    installLedger(this.#ledger, this.#observer, {
      sourceOf: (file) => this.#runtime.sourceOf(file),
      staysGlobal: (name, value) => !this.#classes.selectsGlobal(name, value),
      environmentReads: this.#environmentReads,
    });
    this.#start = new StartWatch({
      listening: () => this.#listen.listening().length,
      opening: () => this.#listens.size,
      settled: () => this.#control.send({ type: "startSettled" }),
    });
    this.#begun = new BegunWork({
      needed: () => this.#portsWait || this.#listen.awaitsAdoption,
      unlistened: () => this.#listen.unlistened,
      done: () => {
        this.#observer.within = undefined;
        this.#enqueue(() => this.#begunWorkDone());
      },
    });
    this.#control.send({ type: "started" });
  }

  #createLife(): AppLife {
    return new AppLife({
      observer: this.#observer,
      waits: this.#waits,
      generation: this.#order.generation,
      autoload: this.#order.autoload,
      monitored: this.#monitored,
      currentVersion: (file) => this.#runtime.currentVersion(file),
      namespaceOf: (file) => this.#runtime.namespaceOf(file),
      targetOf: (specifier, version, kind) => this.#runtime.targetOf(specifier, version, kind),
      invalidated: (file, message, again) => this.#invalidated(file, message, again),
      failed: (file, what, error) => this.#purgeFailed(file ?? this.#order.entry, what, error),
    });
  }

  #createRuntime(): Runtime {
    const { root, conditions, cacheFolder, entry, debuggable } = this.#order;
    // Loaded when it is needed, which most apps never do: main compiles ahead. Its native parts would delay every start.
    const loaded = (): compilerModule.Compiler => {
      if (!this.#compiler) {
        const require = createRequire(import.meta.url);
        const { Compiler } = this.#board.link(
          () => require("../src/common/compile/compiler.js") as typeof compilerModule,
        );
        this.#compiler = new Compiler({ root, conditions, cacheFolder });
      }
      return this.#compiler;
    };
    return new Runtime(
      {
        prepare: (file) => loaded().prepare(file),
        resolve: (specifier, importer, kind) => {
          const isNew = this.#lookups.add(JSON.stringify([specifier, importer, kind])) !== false;
          if (isNew) this.#control.send({ type: "specifierLookedUp", specifier, importer, kind });
          return loaded().resolveLate(specifier, importer, kind, isNew);
        },
        sourceMap: (compiled) => loaded().sourceMap(compiled),
        linking: (run) => this.#board.link(run),
        unknownPackage: (exports) => this.#packageRegistrations.handedOver(exports),
        adapts: (packageName) => this.#adapters.wants(packageName),
        packageLoaded: (file, namespace) => this.#packageLoads.imported(file, namespace),
        evaluated: (version) => this.#classes.purge.evaluated(version),
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
      {
        entry,
        root,
        observer: this.#observer,
        inlineMaps: debuggable,
        hot: this.#life.hot,
        packageRequests: this.#packagesAhead?.recorder,
      },
    );
  }

  #createPackagesAhead(): PackagesAhead {
    return new PackagesAhead({
      observer: this.#observer,
      environmentReads: this.#environmentReads,
      runtime: () => this.#runtime,
      written: () => this.#writes,
      refused: (because) => this.#control.send({ type: "refused", because }),
    });
  }

  #obey(message: SupervisorOrder): void {
    // Orders that follow each other closely (each answer brings the next) leave the timers no turn.
    this.#board.beat();
    switch (message.type) {
      case "loadAhead":
        this.#loadAhead(message);
        break;
      case "begin":
        this.#takeOver(message.order);
        break;
      case "addModules":
        this.#runtime.add(message.modules);
        break;
      case "openInspector":
        this.#openInspector(message);
        break;
      case "evaluate":
        this.#enqueue(() => this.#abandonable(0, (abandonment) => this.#evaluate(message, abandonment)));
        break;
      case "applyPlan":
        this.#enqueue(() => this.#abandonable(message.planId, (abandonment) => this.#applyPlan(message, abandonment)));
        break;
      case "abandonPlan":
        this.#abandonedPlan = message.planId;
        if (this.#underWay?.planId === message.planId) this.#underWay.abandonment.abandon();
        break;
      case "settleListen":
        this.#settleListen(message);
        break;
      case "listenAgain":
        if (this.#listen.listenAgain(message.listenId)) {
          this.#control.send({ type: "listensAgain", listenId: message.listenId });
        }
        break;
      case "sayInstead":
        this.#listen.sayInstead(message.page);
        break;
      case "releaseRequests":
        this.#listen.releaseRequests();
        break;
      case "call":
        // Behind a plan that is being applied; what comes behind it does not wait for its end.
        this.#enqueue(async () => void this.#observer.nobodys(() => this.#calls.run(message)));
        break;
      case "abortCall":
        this.#calls.abort(message);
        break;
      case "signal":
        this.#signal(message);
        break;
      case "announceFailure":
        this.#enqueue(() => this.#announceFailure(message));
        break;
      case "tellWaits":
        this.#tellWaits(message.requestId);
        break;
      case "checkStaleReferences":
        this.#enqueue(() => this.#stale.check(message.requestId));
        break;
      case "writeHeapSnapshot":
        this.#enqueue(() => this.#stale.snapshot(message.requestId, message.file));
        break;
      case "stop":
        this.#abandonedPlan = Number.POSITIVE_INFINITY;
        this.#underWay?.abandonment.abandon();
        this.#enqueue(() => this.#stop(message));
        break;
      default:
        message satisfies never;
    }
  }

  #openInspector(address: OrderOf<"openInspector">): void {
    const problem = openInspector(address);
    if (problem !== undefined) this.#control.send({ type: "logged", level: "warn", message: problem });
  }

  /**
   * A failure in here is the supervisor's own, not the app's: it ends the thread, also of an app that listens for such
   * rejections, since what comes behind it in the queue would never run.
   */
  #enqueue(run: () => Promise<void>): void {
    this.#queue = this.#queue.then(run).catch((error: unknown) => {
      this.#control.send({ type: "crashed", error: this.#serialize(error) });
      process.exit(1);
    });
  }

  #loadAhead({ requests }: OrderOf<"loadAhead">): void {
    if (this.#packagesAhead) this.#control.send({ type: "loadedAhead", ...this.#packagesAhead.load([...requests]) });
  }

  /** A thread that has waited is the app's from here on. */
  #takeOver({ environment, ...late }: LateOrder): void {
    this.#order = { ...this.#order, ...late };
    this.#stopHeartbeat();
    this.#board = new ThreadBoard(late.board);
    this.#stopHeartbeat = startHeartbeat(this.#board);
    this.#life.generation = late.generation;
    for (const [name, value] of Object.entries(environment)) {
      if (value === null) delete process.env[name];
      else process.env[name] = value;
    }
    this.#begin();
  }

  /** Runs what can be given up by its number. */
  async #abandonable(planId: number, run: (abandonment: Abandonment) => Promise<void>): Promise<void> {
    const abandonment = new Abandonment();
    this.#underWay = { planId, abandonment };
    if (planId <= this.#abandonedPlan) abandonment.abandon();
    await run(abandonment);
    this.#underWay = undefined;
  }

  async #evaluate({ portsWait }: OrderOf<"evaluate">, abandonment: Abandonment): Promise<void> {
    const { entry, preload, adapters } = this.#order;
    this.#portsWait = portsWait;
    if (portsWait) this.#watchBegunWork();
    try {
      for (const file of adapters)
        this.#ownAdapters.push(...(await this.#waits.during("the adapters", file, loadAdapters(file))));
      this.#classes.purge.begin();
      this.#packagesAhead?.begin();
      await abandonment.until(this.#runtime.load([...preload, entry]));
      await this.#classes.purge.commit();
      const serves = await abandonment.until(this.#waits.during("the exported app", entry, this.#serve()));
      const packages = this.#packagesAhead?.end();
      const loaded = this.#runtime.takeLoaded();
      this.#control.send({ type: "evaluated", loaded, serves, ...(packages && { packages }) });
      this.#start.begin();
      this.#settleLater();
    } catch (error) {
      this.#packagesAhead?.recorder.abandon();
      this.#control.send({ type: "evaluateFailed", loaded: this.#runtime.takeLoaded(), error: this.#serialize(error) });
    } finally {
      if (portsWait) this.#begun.end();
    }
  }

  async #applyPlan(plan: OrderOf<"applyPlan">, abandonment: Abandonment): Promise<void> {
    await abandonment.unless(this.#listen.drainedForReload(plan.drainMs));
    this.#othersRun = this.#listen.inFlight > 0;
    this.#runtime.deliverEdges();
    if (plan.reportsSeen < this.#reportsSent) {
      this.#control.send({ type: "planOutdated", planId: plan.planId });
      return;
    }
    const servers = this.#listen.begin();
    if (plan.lookupsChanged) this.#compiler?.forget();
    for (const file of plan.forget) this.#compiler?.drop(file);
    const { generation } = this.#life;
    const { pruned = [], classNames, lookupsChanged: filesCame } = plan;
    const gone: GoneVersion[] = [];
    const tellEdges = this.#runtime.holdEdges();
    let classes: ReadonlyMap<string, Iterable<string>> = new Map();
    let watched = false;
    try {
      await abandonment.until(this.#life.planBegins(plan.load));
      this.#life.generation = plan.generation;
      const tellDeleted = this.#monitored.planBegins({ pruned, filesCame, classNames });
      this.#classes.purge.begin();
      if (plan.purge.length > 0) this.#leftovers.watch();
      const { loaded, purged } = await this.#runtime.applyPlan({
        purge: plan.purge,
        load: plan.load,
        modules: plan.modules,
        relinked: plan.relinked,
        forget: plan.forget,
        // First of all: a dispose hook or an adapter may close a server itself, which must not close its public port.
        beforePurge: (files) => {
          this.#listen.release(new Set(files));
          if (!this.#portsWait && !this.#listen.awaitsAdoption) return;
          watched = true;
          this.#watchBegunWork();
        },
        purging: (version) => {
          gone.push(this.#goneVersion(version));
          return this.#purge.run(version);
        },
        beforeCommit: () => {
          if (plan.fails !== undefined) throw new Error(plan.fails);
        },
        rolledBack: async (written) => {
          this.#listen.releaseSince(servers);
          this.#purge.affected(written);
          this.#classes.purge.rollback();
          await abandonment.unless(this.#life.planRolledBack());
          await abandonment.unless(this.#ledger.undoWhere((version) => !this.#runtime.isCurrent(version)));
        },
        evaluated: async () => {
          this.#listen.commit();
          classes = await this.#classes.purge.commit(plan.forget);
          await abandonment.unless(this.#life.planApplied({ accepted: plan.accepted ?? [], pruned }));
          await abandonment.unless(tellDeleted());
        },
        purged: () => this.#control.send({ type: "planPurged", planId: plan.planId }),
        untilAbandoned: (pending) => abandonment.until(pending),
      });
      const before = servers.map(({ server }) => server);
      const servesItself = before.length > 0 && !before.some((server) => this.#listen.isExported(server));
      // An entry that opened its own server will do so again, perhaps later; one that was served has to be served again.
      if (plan.load.includes(this.#order.entry)) {
        this.#mayExport = servesItself;
        if (!servesItself) {
          const serving = this.#waits.during("the exported app", this.#order.entry, this.#serve());
          await abandonment.unless(serving);
        }
      }
      this.#purge.takeEffects();
      this.#stale.purged(plan.generation, gone);
      const stuck = this.#stuck.splice(0);
      this.#control.send({
        type: "planApplied",
        planId: plan.planId,
        purged: purged.map((file) => ({ file, classes: [...(classes.get(file) ?? [])] })),
        loaded,
        stuck,
      });
      this.#stale.stuck(plan.generation, stuck);
    } catch (error) {
      this.#listen.restore(servers);
      const file = this.#runtime.fileOf(error);
      this.#life.generation = generation;
      await abandonment.unless(this.#life.hot.rolledBack(error, file));
      this.#control.send({
        type: "planFailed",
        planId: plan.planId,
        ...(file !== undefined && { file }),
        damaged: this.#purge.takeEffects(),
        error: this.#serialize(error),
      });
    } finally {
      tellEdges();
      if (watched) this.#begun.end();
    }
    this.#monitored.planEnded();
    this.#settleLater();
  }

  #goneVersion(version: ModuleVersion): GoneVersion {
    const all = this.#runtime.classes.classesOf(version.edges);
    const purged = all.filter(({ target }) => this.#classes.selects(target));
    const classes = purged.map(({ name, target }) => ({ name: name || "(anonymous)", class: target }));
    return { version, classes, reopened: purged.length < all.length };
  }

  /** Serves what the entry exports, when it has not opened a server itself. */
  async #serve(): Promise<"listening" | "exported" | "pending"> {
    if (this.#listen.listening().length > 0) return "listening";
    const { entry, app, fallback } = this.#order;
    await this.#runtime.import(entry);
    const server = await serveExported(this.#runtime.exportsOf(entry), { app });
    if (!server) return "pending";
    // Whoever closes ports that nobody has adopted must not do so before this one is open; a name may take time to look up.
    await wait(this.#listen.listenExported(server, entry, fallback), { deadlineMs: EXPORTED_LISTEN_MS });
    return "exported";
  }

  /** Public ports wait for servers that this evaluation may open, or something that it begins. */
  #watchBegunWork(): void {
    this.#begun.begin();
    this.#observer.within = this.#begun.within;
  }

  /** Nothing goes on that may still listen. An entry that opened its own server before may export an app now. */
  async #begunWorkDone(): Promise<void> {
    // Another plan came first, and begins something itself.
    if (this.#begun.active) return;
    if (this.#mayExport) {
      this.#mayExport = false;
      try {
        await this.#serve();
      } catch (error) {
        const { message } = this.#serialize(error);
        this.#control.send({
          type: "logged",
          level: "error",
          message: `the exported app cannot be served: ${message}`,
        });
      }
    }
    this.#portsWait = false;
    this.#listen.giveUpUnadopted();
    this.#control.send({ type: "begunWorkDone", generation: this.#life.generation });
  }

  /**
   * An entry's `async main()` goes on after its evaluation; what it reads until it listens counts as read at the start.
   * One turn after it listens, nothing of the start is left.
   */
  #settleLater(): void {
    clearTimeout(this.#settleTimer);
    const listening = this.#listen.listening().length > 0;
    const settle = (): void => {
      this.#runtime.settle();
      this.#reportUnknownSubclasses();
    };
    this.#settleTimer = setTimeout(settle, listening ? 0 : START_READS_MS).unref();
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

  async #stop({ drainMs, restarts }: OrderOf<"stop">): Promise<void> {
    // Two threads cannot be debugged at one address.
    if (restarts) closeInspector();
    // Shutdown hooks, as Nest has them, take their time like a request; those that take too long are left behind.
    const signalled = withDeadline(this.#signalled, drainMs).catch(() => undefined);
    await Promise.all([restarts ? this.#listen.deserted(drainMs) : this.#listen.drained(drainMs), signalled]);
    if (restarts) await withDeadline(this.#life.hot.announceRestart(), HOOK_MS).catch(() => undefined);
    await this.#life.end((deadlineMs) => this.#control.send({ type: "disposing", deadlineMs }));
    closeInspector();
    this.#start.end();
    this.#begun.close();
    await this.#adapters.end((deadlineMs) => this.#control.send({ type: "disposing", deadlineMs }));
    // What was sent before the order to stop has come by then, and is refused where another worker takes over.
    for (let turn = 0; turn < LAST_TURNS; turn++) await nextTurn();
    this.#listen.endSessions();
    this.#end();
  }

  /** The thread ends now, and must not wait for debuggers, nor read on. */
  #cutOff(): void {
    this.#listen.endSessions();
    closeInspector();
  }

  #signal({ signal, requestId }: OrderOf<"signal">): void {
    const isEnd = requestId === undefined;
    const { isHeard, done } = this.#observer.nobodys(() => deliverSignal(signal, isEnd));
    if (isEnd) this.#signalled = done;
    else this.#control.send({ type: "signalDelivered", requestId, isHeard });
  }

  #tellWaits(requestId: number): void {
    const now = performance.now();
    const waits: ThreadWait[] = this.#runtime.waiting().map((module) => evaluatingWait(module));
    for (const { what, file, since } of this.#waits.all) {
      waits.push({ type: "hook", what, ...(file !== undefined && { file }), ageMs: now - since });
    }
    const requests = this.#listen.drainedFor();
    if (requests.length > 0) waits.push({ type: "requests", requests });
    this.#control.send({ type: "waitsTold", requestId, waits });
  }

  async #announceFailure({ error }: OrderOf<"announceFailure">): Promise<void> {
    const { message, stack = "", frame, location } = error;
    await this.#life.hot.announceFailure({ message, stack, frame, ...(location && { loc: location }) });
  }

  #invalidated(file: string, message: string | undefined, again: boolean): void {
    const shown = path.relative(this.#order.root, file);
    if (message !== undefined) {
      this.#control.send({ type: "logged", level: "info", message: `invalidated by ${shown}: ${message}` });
    }
    this.#control.send({ type: "invalidated", file, again });
  }

  /** A purge goes on without what has failed in it. */
  #purgeFailed(file: string, step: string, error: unknown): void {
    const shown = path.relative(this.#order.root, file);
    const { message } = this.#serialize(error);
    this.#control.send({ type: "logged", level: "warn", message: `purging ${shown}: ${step} failed: ${message}` });
  }

  #leftoverFailed(file: string, reason: unknown): void {
    const shown = path.relative(this.#order.root, file);
    const { message } = this.#serialize(reason);
    const text = `what the old version of ${shown} had begun has failed: ${message}`;
    this.#control.send({ type: "logged", level: "debug", message: text });
  }

  #purgeInAdapters({ record, edges }: ModuleVersion): boolean | Promise<boolean> {
    const classes = this.#runtime.classes.classesOf(edges);
    if (classes.length === 0 || !this.#adapters.any) return false;
    return this.#adapters.purge({ file: record.file, classes: new Set(classes.map(({ target }) => target)) });
  }

  #adaptersFor(packageName: string): Adapter[] {
    const builtIn = builtInAdapter(packageName);
    const own = this.#ownAdapters.filter(({ packages }) => packages.includes(packageName));
    return builtIn ? [builtIn, ...own] : own;
  }

  #notReopened(file: string, name: string, because: string): void {
    const shown = path.relative(this.#order.root, file);
    const message = `${shown}: class ${name} was purged, not reopened, because ${because}; old instances keep the old methods`;
    this.#control.send({ type: "logged", level: "warn", message });
  }

  /** Names of the subclass filter that mean nothing, once the app has been loaded. */
  #reportUnknownSubclasses(): void {
    if (this.#subclassesReported) return;
    this.#subclassesReported = true;
    const { names, seen } = this.#classes.unknownNames();
    if (names.length > 0) this.#control.send({ type: "subclassesUnknown", names, seen });
  }

  #serialize(error: unknown): SerializedError {
    return serializeError(error, (one) => this.#runtime.locate(one));
  }
}
