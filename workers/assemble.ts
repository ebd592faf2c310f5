/** Puts together what a thread of the app consists of, in the order in which the parts depend on each other. */

import Module from "node:module";
import { DRAIN_MS, LISTEN_ANSWER_MS } from "../src/common/deadlines.js";
import { packageOf, sessionDoorOf } from "../src/common/paths.js";
import type { Adapter } from "../src/common/protocol/adapter.js";
import type { WorkerReport } from "../src/common/protocol/messages.js";
import type { BootOrder, SharedProcess } from "../src/common/protocol/orders.js";
import { OwnConnections } from "../src/common/protocol/own-connections.js";
import { BEAT_MS, END_SESSIONS } from "../src/common/protocol/thread-board.js";
import { Adapters } from "./adapters/attach.js";
import { builtInAdapter } from "./adapters/built-in-adapters.js";
import { PackageLoads } from "./adapters/package-loads.js";
import { Calls } from "./calls.js";
import { OwnClasses } from "./classes/own-classes.js";
import { EntryProof } from "./entry-proof.js";
import { Heart } from "./heartbeat.js";
import { AppLife } from "./hot/app-life.js";
import { LateCompiler } from "./late-compiler.js";
import { callersAbove } from "./ledger/caller.js";
import { EnvironmentReads } from "./ledger/environment-reads.js";
import { installLedger } from "./ledger/install.js";
import { Ledger } from "./ledger/ledger.js";
import { OwnGlobals } from "./ledger/own-globals.js";
import { OwnPatches } from "./ledger/own-patches.js";
import { PackageKeepers } from "./ledger/package-keepers.js";
import { PackageRegistrations } from "./ledger/package-registrations.js";
import { PackageStates } from "./ledger/package-states.js";
import { PropertyLayers } from "./ledger/property-layers.js";
import { RegistrationPlaces } from "./ledger/registration-places.js";
import { LeftoverRejections } from "./leftover-rejections.js";
import { ListenRequests } from "./listener/listen-requests.js";
import { OwnQuestions } from "./listener/own-questions.js";
import { installVirtualListen, type VirtualListen } from "./listener/virtual-listen.js";
import { LiveAnswers } from "./live/live-answers.js";
import type { LoopHold } from "./loop-hold.js";
import type { MainThreadView } from "./main-thread/main-thread-view.js";
import { hideOwnModules } from "./main-thread/own-modules.js";
import { Monitored } from "./monitored/monitored.js";
import type { OrderQueue } from "./order-queue.js";
import { LoadedPackageFiles } from "./package-files.js";
import { Purge } from "./purge.js";
import type { RuntimeHost } from "./runtime/host.js";
import { LateReads } from "./runtime/late-reads.js";
import type { ModuleEdges } from "./runtime/module-edges.js";
import { Observer } from "./runtime/observer.js";
import { Runtime } from "./runtime/runtime.js";
import { hideReadsOfShownObjects } from "./shown-objects.js";
import { StaleReports } from "./stale/stale-reports.js";
import { PackagesAhead } from "./standby/packages-ahead.js";
import { Serving } from "./start/serving.js";
import { installStartedFiles } from "./started-files.js";
import { LOOK_MS, StoppedQueues } from "./stopped-queues.js";
import { createStreams } from "./streams/create-streams.js";
import type { StandardStreams } from "./streams/standard-streams.js";
import { type EndsOptions, reportEnds } from "./thread-ends.js";
import { ThreadReports } from "./thread-reports.js";
import { Waits } from "./waits.js";

export interface AppParts {
  readonly mainThread: MainThreadView;
  readonly reports: ThreadReports;
  readonly heart: Heart;
  readonly streams: StandardStreams;
  readonly observer: Observer;
  readonly waits: Waits;
  /** Undefined: no standby thread is wanted. */
  readonly packagesAhead: PackagesAhead | undefined;
  readonly packageFiles: LoadedPackageFiles;
  readonly ledger: Ledger;
  readonly adapters: Adapters;
  /** Those of the option `adapters`, once they are loaded. */
  readonly ownAdapters: Adapter[];
  readonly leftovers: LeftoverRejections;
  readonly stoppedQueues: StoppedQueues;
  readonly entryProof: EntryProof;
  readonly packageRegistrations: PackageRegistrations;
  readonly packageKeepers: PackageKeepers;
  readonly packageStates: PackageStates;
  readonly monitored: Monitored;
  readonly life: AppLife;
  readonly purge: Purge;
  readonly compiler: LateCompiler;
  readonly runtime: Runtime;
  readonly classes: OwnClasses;
  readonly listens: ListenRequests;
  readonly listen: VirtualListen;
  readonly calls: Calls;
  readonly stale: StaleReports;
  readonly serving: Serving;
}

export interface AssembleOptions {
  /** Undefined: the process is the host's. */
  readonly process: SharedProcess | undefined;
  send(report: WorkerReport): void;
  readonly loop: LoopHold;
  /** Where what evaluates or purges stands in line. */
  readonly queue: OrderQueue;
  /** Nothing of an evaluation goes on any more. */
  settled(): void;
  readonly ending: EndsOptions["ending"];
}

/** What a part calls may come further down: nothing is called before all are there. */
export function assemble(
  order: BootOrder,
  { send, loop, queue, settled, ending, process: shared }: AssembleOptions,
): AppParts {
  const { entry, root } = order;
  const reports = new ThreadReports({ root, send, locate: (error) => runtime.locate(error) });
  const failed = (file: string, what: string, error: unknown) => reports.purgeFailed(file, what, error);
  const heart = new Heart(order.board);
  const observer = new Observer();
  const { streams, written } = createStreams(order, { observer, heart, send, ledger: () => ledger });
  const waits = new Waits();
  const environmentReads = new EnvironmentReads();
  const packagesAhead = order.records
    ? new PackagesAhead({
        observer,
        environmentReads,
        runtime: () => runtime,
        written,
        ownWork: () => streams.opening,
        refused: (because) => send({ type: "refused", because }),
      })
    : undefined;
  hideReadsOfShownObjects(heart.board);
  const mainThread = reportEnds(order, {
    reports,
    streams,
    heart,
    listen: () => listen,
    textOf: (file) => {
      const source = runtime.sourceOf(file);
      return source === undefined ? undefined : { source, isModule: runtime.formatOf(file) === "esm" };
    },
    send,
    ending,
    shared,
    hold: () => loop.hold(),
    letGo: () => loop.letGo(),
    nobodys: (run) => observer.nobodys(run),
    record: (what, undo) => void ledger.record(what, undo),
  });

  const ledger = new Ledger({ observer, waits, failed: (file, what, error) => failed(file, `undoing ${what}`, error) });
  const layers = new PropertyLayers(ledger);
  const ownGlobals = new OwnGlobals({
    ownerOf: (name) => {
      const owner = layers.ownerOf(globalThis, name);
      return owner?.isPreload ? undefined : owner;
    },
    read: ({ file }) => observer.readGlobal(file),
  });
  const ownPatches = new OwnPatches({
    ownerOf: (target, key) => {
      const owner = layers.ownerOf(target, key);
      return owner?.isPreload ? undefined : owner;
    },
    read: ({ file }) => observer.readGlobal(file),
  });
  let patchable: ((exports: unknown) => void) | undefined;
  layers.changedAnew = (owner, ...how) => runtime.noteKeptUsers(owner, ...how);
  const ownAdapters: Adapter[] = [];
  const adapters = createAdapters(ledger, ownAdapters, order, reports);
  const packageFiles = new LoadedPackageFiles({ root, send });
  const packageLoads = new PackageLoads({
    compiled: () => packageFiles.compiled(),
    wants: (name) => adapters.wants(name),
    loaded: (found) => {
      runtime.adapted(found.exports);
      adapters.packageLoaded(found);
    },
  });
  packageLoads.install();
  const leftovers = new LeftoverRejections(observer);
  const places = new RegistrationPlaces();
  const packageKeepers = new PackageKeepers({
    imports: (file, packageName) => runtime.imports(file, packageName),
    bodyOf: (file) => runtime.bodyOf(file),
    scopeOf: (file) => runtime.scopeOf(file),
    valuesOf: (file) => runtime.valuesOf(file),
    isForeign: (value) => runtime.isForeign(value),
  });
  const packageStates = new PackageStates({
    touches: (file) => runtime.packageStatementsOf(file),
    bodyOf: (file) => runtime.bodyOf(file),
    isCurrent: (text) => runtime.hasBodyWith(text),
  });
  const packageRegistrations = new PackageRegistrations({
    ledger,
    observer,
    places,
    keepers: packageKeepers,
    entering: (file) => packageStates.entering(file),
    isDataOf: (file, entry) => packageStates.isDataOf(file, entry),
    isPassive: (file) => runtime.isPassive(file),
    imports: (file, packageName) => runtime.imports(file, packageName),
    passesOn: (file) => runtime.passesOn(file),
    bodyOf: (file) => runtime.bodyOf(file),
    isOwnClass: (made) => runtime.classes.find(made) !== undefined,
    isForeign: (value) => runtime.isForeign(value),
  });
  const monitored = new Monitored({
    ...order,
    waits,
    runtime: () => runtime,
    owner: () => observer.owner,
    outside: (run) => observer.outside(run),
    record: (what, undo, owner) => ledger.record(what, undo, owner),
    failed,
  });
  const life: AppLife = new AppLife({
    observer,
    waits,
    generation: order.generation,
    autoload: order.autoload,
    monitored,
    currentVersion: (file) => runtime.currentVersion(file),
    fileOf: (error) => runtime.fileOf(error),
    namespaceOf: (file) => runtime.namespaceOf(file),
    targetOf: (specifier, version, kind) => runtime.targetOf(specifier, version, kind),
    invalidated: (file, message, again) => reports.invalidated(file, message, again),
    failed: (file, what, error) => failed(file ?? entry, what, error),
  });
  life.install();
  const compiler = new LateCompiler({
    ...order,
    linking: (run) => heart.board.link(run),
    lookedUp: (specifier, importer, kind) => send({ type: "specifierLookedUp", specifier, importer, kind }),
  });
  const lateReads: LateReads = new LateReads({
    requests: () => listen.requests.asked(),
    readers: () => callersAbove(LateReads.prototype.read),
    keepers: (frames, isSecond) => keepersOf(frames, isSecond ? undefined : runtime, runtime.currentVersion(entry)),
    kept(file, by) {
      const who = by.map((version) => reports.shown(version.file)).join(", ");
      reports.log(
        "warn",
        `${reports.shown(file)} has changed, and a request was answered from what was read of it before: ${who} is evaluated again`,
      );
    },
    hashOf: (file) => runtime.hashOf(file),
  });
  const host: RuntimeHost = {
    lateReads,
    prepare: (file) => compiler.prepare(file),
    prepareAs: (file, as) => compiler.prepareAs(file, as),
    missing: (...sought) => compiler.missing(...sought),
    lookedUp: (...sought) => void compiler.lookedUp(...sought),
    formatOf: (file) => compiler.formatOf(file),
    loaderChanged: () => {
      // It is to be there before hooks of the app's are.
      compiler.load();
      send({ type: "loaderChanged" });
    },
    hooksRegistered: (undo) => void ledger.record("hooks of Node's loader", undo),
    resolve: (...sought) => compiler.resolve(...sought),
    conditions: order.conditions,
    hasLoader: order.hasLoader,
    sourceMap: (compiled) => compiler.sourceMap(compiled),
    dynamicImports: (text) => compiler.dynamicImports(text),
    linking: (run) => heart.board.link(run),
    handedOver: (exports) => patchable?.(exports),
    unknownPackage(exports, name) {
      packageRegistrations.handedOver(exports, name);
      packageStates.handedOver(exports, name);
    },
    adapts: (packageName) => adapters.wants(packageName),
    packageLoaded(file, namespace) {
      packageFiles.imported(file);
      packageLoads.imported(file, namespace);
    },
    evaluated(version) {
      classes.purge.evaluated(version);
      lateReads.evaluated(version);
    },
    written: (file) => send({ type: "fileWritten", file }),
    packageUsed: (file, writes) => packageFiles.used(file, writes),
    packageSought: (specifier, importer) => packageFiles.sought(specifier, importer),
    forget: (file) => compiler.forget({ files: [file], lookups: false }),
    moduleWritten: (file, hash, isState) =>
      send({ type: "moduleWritten", file, isState, at: Date.now(), ...(hash !== undefined && { hash }) }),
    undoes: (version) => ledger.holds(version) || life.holds(version),
    discovered: (module) => reports.sendOfGraph({ type: "modulesDiscovered", modules: [module] }),
    loaded: (modules) => reports.sendOfGraph({ type: "modulesLoaded", loaded: modules }),
  };
  const runtime: Runtime = new Runtime(host, {
    entry,
    root,
    observer,
    inlineMaps: order.debuggable,
    globals: ownGlobals,
    cells: order.cells,
    hot: life.hot,
    packageRequests: packagesAhead?.recorder,
  });
  const classes: OwnClasses = new OwnClasses({
    runtime,
    ledger,
    subclasses: order.subclasses,
    classesOf: (file) => monitored.classNamesOf(file),
    failed,
    refused: (file, name, because) => reports.notReopened(file, name, because),
  });
  const purge = new Purge({
    waits,
    steps: [
      ...life.purgeSteps,
      { name: "ledger", run: ({ edges }) => ledger.holds(edges) && ledger.undo(edges) },
      { name: "stdin", run: () => streams.input?.purged() ?? false },
      {
        name: "adapters",
        waitsFor: "the clean-up in packages",
        run: ({ record, edges }) => adapters.purge(record.file, runtime.classes.classesOf(edges)),
      },
      { name: "classes", waitsFor: "the purge of the classes", run: ({ edges }) => classes.purge.purge(edges) },
    ],
    failed,
  });
  runtime.install();
  const listens = new ListenRequests((request) => send({ type: "listenRequested", ...request }));
  const listen: VirtualListen = createListen(order, { heart, observer, listens, runtime, streams, life, send });
  // What comes through the gate is no part of a start or a reload.
  if (order.cells) listen.requests.onBegin = () => runtime.swapping.requested();
  // A query may hold what nobody else shall read.
  const entryProof = new EntryProof(entry, (asked) =>
    send({ type: "routeLost", file: entry, route: `GET ${asked.split("?", 1)[0]}` }),
  );
  listen.requests.onEnd = (request) => {
    const asked = request.asked?.();
    if (asked === undefined || request.began === undefined) return;
    lateReads.over(asked, request.began);
    const status = request.status?.();
    if (status !== undefined) entryProof.answered(asked, status, request.began);
  };
  const calls = new Calls({
    entry: async () => {
      await runtime.import(entry);
      return runtime.exportsOf(entry);
    },
    begin: () => listen.requests.beginCall(),
    send,
    serialize: (error) => reports.serialize(error),
  });
  const stale = new StaleReports({
    send,
    now: () => listen.requests.now(),
    whileBlocked: (run) => heart.board.excuse(run),
    busy: () => listen.requests.size > 0,
    // What a debugger shows, it holds.
    oldestInUse: () => (order.debuggable ? 0 : listen.oldestInUse()),
  });
  // Before the app can replace it.
  const { setInterval: every } = globalThis;
  const stoppedQueues = new StoppedQueues({
    requests: listen.requests,
    stopped: (file, packageName) => send({ type: "queueStopped", file, packageName }),
    repeat(look) {
      const timer = observer.outside(() => every(look, LOOK_MS).unref());
      return () => clearInterval(timer);
    },
  });
  leftovers.install((file, reason) => reports.leftoverFailed(file, reason));
  packageRegistrations.install();
  installStartedFiles({
    root,
    // Before 22.15 this thread has a flag of our own (src/thread/node-flags.ts).
    inherited: order.nodePreloads.length > 0 || !("registerHooks" in Module) ? order.startedWith.execArgv : undefined,
    entry,
    observer,
    runtime,
    compiler,
    cluster: listen.cluster,
    ledger,
    requestsOver: () => listen.over(heart.board.beats * BEAT_MS, DRAIN_MS),
    warn: (message) => reports.log("warn", message),
  });
  installLedger(ledger, observer, {
    sourceOf: (file) => runtime.sourceOf(file),
    places,
    layers,
    ownGlobals,
    ownPatches,
    packages(watch) {
      patchable = watch;
    },
    isMentioned: (name) => runtime.mentions(name),
    packageGlobal(name, value, owner) {
      if (!adapters.keepsGlobal(name)) packageRegistrations.foundGlobal(value, owner);
    },
    staysGlobal: (name, value) => !classes.selectsGlobal(name, value),
    pauseEnded: (file, packageName) => stoppedQueues.ended(file, packageName),
    environmentTraps: mainThread.environmentTraps,
    environmentReads,
    isStandardStream: (emitter) => streams.has(emitter),
  });
  const serving = new Serving({
    order,
    runtime,
    observer,
    waits,
    listen,
    reports,
    opening: () => listens.size,
    generation: () => life.generation,
    enqueue: (run) => queue.add(run),
    settled,
  });
  hideOwnModules();
  const thread = { mainThread, reports, heart, streams, observer, waits, packagesAhead, packageFiles, compiler };
  const undoing = {
    ledger,
    adapters,
    ownAdapters,
    leftovers,
    packageRegistrations,
    packageKeepers,
    packageStates,
    stoppedQueues,
    entryProof,
    purge,
    classes,
    stale,
  };
  return { ...thread, ...undoing, monitored, life, runtime, listens, listen, calls, serving };
}

/**
 * Who may keep what these files have read: the module itself, or those that use the package that has. `runtime`: absent, when
 * that was not enough.
 */
function keepersOf(
  [reader, ...above]: readonly string[],
  runtime: Runtime | undefined,
  entry: ModuleEdges | undefined,
): ModuleEdges[] {
  if (!runtime || reader === undefined) return entry ? [entry] : [];
  const found = packageOf(reader);
  const own = [reader, ...above].flatMap((file) => runtime.currentVersion(file) ?? []).slice(0, 1);
  if (!found) return own;
  const users = runtime.versions().filter(({ file }) => runtime.imports(file, found.name));
  if (users.length > 0) return users;
  return entry ? [entry] : own;
}

function createAdapters(
  ledger: Ledger,
  own: readonly Adapter[],
  { sockets }: Pick<BootOrder, "sockets">,
  reports: ThreadReports,
): Adapters {
  return new Adapters({
    ledger,
    sockets,
    adaptersFor: (packageName) => {
      const builtIn = builtInAdapter(packageName);
      const others = own.filter(({ packages }) => packages.includes(packageName));
      return builtIn ? [builtIn, ...others] : others;
    },
    uses: (file) => void ledger.owner?.observe(file),
    shown: (file) => reports.shown(file),
    warn: (message) => reports.log("warn", message),
  });
}

function createListen(
  order: BootOrder,
  {
    heart,
    observer,
    listens,
    runtime,
    streams,
    life,
    send,
  }: Pick<AppParts, "heart" | "observer" | "listens" | "runtime" | "streams" | "life"> & Pick<AssembleOptions, "send">,
): VirtualListen {
  const listen = installVirtualListen({
    table: new Int32Array(order.connectionTable),
    ownConnections: new OwnConnections(order.ownConnections),
    socketFolder: order.socketFolder,
    requestListen: (request) => listens.ask(request),
    reportClosed: (listenId) => send({ type: "serverClosed", listenId }),
    reportReleased: (listenId) => send({ type: "serverReleased", listenId }),
    currentModule: () => runtime.currentModule(),
    attribution: observer,
    sessionsChanged: (open) => {
      heart.board.sessions = open;
    },
    isEnding: () => heart.isEnding,
    clock: () => heart.board.beats * BEAT_MS,
    heldDeadlineMs: order.heldDeadlineMs,
    ownQuestions: order.panel ? new OwnQuestions(sessionDoorOf(order.socketFolder)) : undefined,
    live: order.live && new LiveAnswers(order.live, () => life.generation),
    answerTimeoutMs: LISTEN_ANSWER_MS,
  });
  // For a thread that is blocked and takes no orders.
  Object.defineProperty(process, Symbol.for(END_SESSIONS), {
    value: () => {
      listen.endSessions();
      streams.input?.leave(true);
    },
    configurable: true,
  });
  return listen;
}
