/** Puts together what keeps an app at its newest code, in the order of dependence; what is told later goes to the cycle. */
import path from "node:path";
import { IN_PLACE_DRAIN_MS } from "../common/deadlines.js";
import { shownPath } from "../common/paths.js";
import { createConnectionTable } from "../common/protocol/connection-table.js";
import { answersOf } from "../control/answers.js";
import { Control } from "../control/control.js";
import { StateView } from "../control/state.js";
import { ignoreFilter } from "../files/ignore.js";
import { PackageFiles } from "../files/package-files.js";
import { PageFiles } from "../files/page-files.js";
import { FileRegistry } from "../files/registry.js";
import { Front } from "../front/front.js";
import type { Verdict } from "../front/turn.js";
import { Leaks } from "../leaks/leaks.js";
import { ConfigChanges } from "../options/config-changes.js";
import type { ResolvedOptions } from "../options/options.js";
import { Endpoints } from "../panel/endpoints.js";
import { LiveStreams } from "../panel/live-streams.js";
import { PanelView } from "../panel/panel-view.js";
import { ListenReports } from "../reports/listen-reports.js";
import { Progress } from "../reports/progress.js";
import type { SupervisorEvent } from "../reports/report.js";
import { AppStreams } from "../thread/app-streams.js";
import { cacheFolder } from "../thread/environment.js";
import { SocketFolder } from "../thread/socket-folder.js";
import type { SpareThread } from "../thread/spare-thread.js";
import { ThreadWatch } from "../thread/thread-watch.js";
import { AppSignals } from "./app-signals.js";
import { hasCells } from "./boot-order.js";
import { whatIsMissing } from "./crash-restarts.js";
import type { CycleParts } from "./cycle-parts.js";
import { Embedding } from "./embedding.js";
import { act, requestsAtTheEnd } from "./epoch-news.js";
import { Epochs } from "./epochs.js";
import type { Guard } from "./guard.js";
import { InPlaceReload } from "./in-place-reload.js";
import { MissingServer } from "./missing-server.js";
import { Monitoring } from "./monitoring.js";
import { OwnWrites } from "./own-writes.js";
import { Preparer } from "./preparer.js";
import { PublicAddressChoice } from "./public-address.js";
import { ReloadCycle } from "./reload-cycle.js";
import { StartSettled } from "./start-settled.js";
import { SubclassNames } from "./subclass-names.js";
import { TakenPorts } from "./taken-ports.js";

export interface AssembleOptions {
  readonly options: ResolvedOptions;
  /** A thread that was started before anything else, to gain time. */
  readonly spare: SpareThread | undefined;
  /** The standard streams; undefined: they are the host's. */
  readonly streams: AppStreams | undefined;
  /** Is given what removes the files that would stay behind when the process ends at once. */
  readonly atExit: ((removeFiles: () => void) => void) | undefined;
  /** Undefined: nobody would start another process, should this one be ended. */
  readonly guard: Guard | undefined;
  /** The app is all that the process is for: it ends when it has nothing left to do. */
  readonly endsByItself: boolean;
  /** The process shall listen for these signals, and for no others but its own. */
  signalsChanged(signals: ReadonlySet<NodeJS.Signals>): void;
  /** The app has ended, with this code, and is not to be started again. */
  over(code: number): void;
  /** The process that has forked this one talks with the app, or has left it: the end of the app is the end of all. */
  endsWithApp(): boolean;
  /** The supervisor has been told to end. */
  isClosing(): boolean;
  readonly emit: CycleParts["emit"];
}

/** What the supervisor passes on to; all of it has to be closed. */
export interface SupervisorParts {
  readonly cycle: ReloadCycle;
  readonly front: Front;
  readonly registry: FileRegistry;
  readonly packageFiles: PackageFiles;
  readonly monitoring: Monitoring;
  readonly preparer: Preparer;
  readonly epochs: Epochs;
  readonly leaks: Leaks;
  readonly control: Control;
  readonly view: StateView;
  readonly endpoints: Endpoints;
  readonly listening: ListenReports;
  readonly address: PublicAddressChoice;
  readonly embedding: Embedding;
  readonly socketFolder: SocketFolder;
  readonly startSettled: StartSettled;
  readonly watch: ThreadWatch;
  readonly progress: Progress;
  readonly signals: AppSignals;
}

export function assemble({
  options,
  spare,
  streams,
  atExit,
  guard,
  endsByItself,
  signalsChanged,
  over,
  endsWithApp,
  isClosing,
  emit: tell,
}: AssembleOptions): SupervisorParts {
  const table = createConnectionTable();
  const emit: CycleParts["emit"] = (event, report) => {
    view.emitted({ event, report } as SupervisorEvent);
    tell(event, report);
    endpoints.tell(event, report);
  };
  const view = new StateView(options.root, () => ({
    id: socketFolder.id,
    launcher: guard && process.ppid,
    options,
    registry,
    front,
    cycle,
    hold: () => cycle.hold.state,
  }));
  const panel = new PanelView(options.root, () => ({
    view,
    root: options.root,
    app: () => cycle.app,
    stale: () => leaks.references,
    inFlight: () => cycle.inFlight,
    front,
    epochs,
  }));
  const socketFolder = new SocketFolder();
  const isIgnored = ignoreFilter(options.root, options.ignore);
  const live =
    options.live &&
    new LiveStreams({
      onError: options.onError,
      now: () => view.now(),
      files: new PageFiles({
        root: options.root,
        isIgnored,
        hasEvents: () => registry.hasPromptEvents(options.root),
        writes: (file) => cycle.app?.writes(file) === true,
      }),
    });
  const endpoints = new Endpoints({
    view,
    panel,
    live: live || undefined,
    root: options.root,
    folder: socketFolder.path,
    hasSessions: () => front.endpoints().some(({ kind }) => kind !== "http" && kind !== "raw"),
  });
  view.onChange(() => endpoints.changed());
  const startSettled = new StartSettled(() => view.changed());
  guard?.begin(socketFolder.path);
  /** What a request that begins now must do. */
  const admit = (isAgain?: boolean): Verdict | Promise<Verdict> => {
    guard?.requested();
    return watch.verdict(cycle.admit(isAgain), cycle.app?.epoch.number);
  };
  const takenPorts = new TakenPorts((level, message) => isClosing() || emit("log", { level, message }));
  const front = new Front({
    portFallback: options.portFallback ? (wanted, got) => void takenPorts.tellFallback(wanted, got) : undefined,
    gate: {
      check: admit,
      waitingFor: () => progress.waitingFor ?? cycle.waitingFor(),
    },
    table,
    copies: guard,
    heldDeadline: options.heldDeadline,
    heldBytes: options.heldBytes,
    warn: (message) => emit("log", { level: "warn", message }),
    unreachable: (server) => {
      epochs.listenAgain(server);
      void control.ensure();
      endpoints.ensure();
    },
    ownEpoch: (address, port) => epochs.ownEpoch(address, port),
    pages: { cwd: process.cwd(), hasPanel: options.panel },
    ...(options.panel && { ownAnswer: (request, response) => endpoints.respond(request, response) }),
  });
  const listening = new ListenReports((report) => emit("listening", report));
  const address = new PublicAddressChoice(options, front, listening);
  const embedding = new Embedding({
    front,
    admit,
    epoch: () => cycle.app?.epoch,
  });
  /** Whether a file that has come may have to do with the app. */
  const concerns = (file: string): boolean => {
    if (cycle.phase === "failed" || monitoring.concerns(file)) return true;
    return preparer.concerns(file) || cycle.app?.lists(path.dirname(file)) === true;
  };
  const registry = new FileRegistry({
    root: options.root,
    mode: options.watch,
    ignore: options.ignore,
    probeFolder: cacheFolder(options.root),
    ...(options.cooldown !== "off" && { cooldownMs: options.cooldown }),
    onStale: () => cycle.noticed(),
    concerns,
    onWarning: (message: string) => emit("log", { level: "warn", message }),
  });
  const monitoring = new Monitoring({
    ...options,
    registry,
    failed: (what, error) => emit("log", { level: "warn", message: `${what} failed: ${error}` }),
  });
  const roots = () => monitoring.roots;
  const appStreams = streams ?? new AppStreams("host");
  const preparer = new Preparer(options, registry, roots, appStreams.isAppsProcess, (message) =>
    emit("log", { level: "info", message }),
  );
  const leaks = new Leaks({
    folder: socketFolder.path,
    preparer,
    app: () => cycle.app,
    cycle: () => cycle.run,
    onNews: (report) => cycle.foundStale(report),
  });
  const control = new Control({
    root: options.root,
    entry: options.entry,
    launcher: guard && process.ppid,
    folder: socketFolder.path,
    commands: () =>
      answersOf({
        ...{ options, view, cycle, registry, monitoring, preparer, embedding, leaks, entrance: front.entrance },
        waitingFor: () => progress.waitingFor ?? cycle.waitingFor(),
        log: (message) => emit("log", { level: "info", message }),
      }),
    onLog: (message) => emit("log", { level: "debug", message }),
  });
  const ownWrites = new OwnWrites();
  const inPlace = new InPlaceReload({
    scope: options.scope,
    strictPurge: options.strictPurge,
    monitoring,
    ownWrites,
    preparer,
    registry,
    drainMs: IN_PLACE_DRAIN_MS,
    cells: hasCells(options),
    isInspected: options.inspect !== undefined,
    log: (message) => emit("log", { level: "debug", message }),
  });
  atExit?.(() => {
    control.withdraw();
    socketFolder.removeNow();
  });
  const watch = new ThreadWatch({
    root: options.root,
    cwd: process.cwd(),
    limitMs: options.watchdog,
    versions: (epoch, file) => epochs.versions(epoch, file),
    importersOf: (epoch, file) => epochs.importersOf(epoch, file),
    sourceMap: (compiled) => preparer.sourceMap(compiled),
    warn: (message) => emit("log", { level: "warn", message }),
    blocked: (epoch, page) => front.blocked(epoch, page),
    purgedRuns: (epoch, location) => cycle.purgedRuns(epoch, location),
  });
  const progress = new Progress({
    describe: async () => (await watch.describe()) ?? requestsAtTheEnd(front, isClosing),
    tell: (message) => emit("log", { level: "info", message }),
  });
  const subclasses = new SubclassNames(options.subclasses);
  const epochs = new Epochs({
    options,
    roots,
    endsByItself,
    classNames: () => monitoring.classNames(),
    front,
    preparer,
    ownWrites,
    listening,
    takenPorts,
    socketFolder,
    table: table.buffer,
    spare,
    streams: appStreams,
    address: () => address,
    exposes: () => address.exposes,
    subclasses,
    busy: () => cycle.run !== undefined || cycle.inFlight > 0,
    watch,
    onLog: (level, message) => emit("log", { level, message }),
    onTold: (epoch, report) => act(epoch, report, { cycle, leaks, signals, startSettled, missingServer, packageFiles }),
    onListened: () => cycle.closeUnadopted(),
    onOver: (epoch) => signals.ended(epoch),
    onEnd: (epoch, end) => cycle.ended(epoch, end),
  });
  const packageFiles = new PackageFiles({
    changed: (files) => cycle.packagesChanged(files),
    givenUp(files) {
      const shown = files.map((file) => shownPath(file, options.root)).join(", ");
      const message = `${shown}: written whenever the app starts, by itself as it seems; changes there count no more`;
      emit("log", { level: "warn", message });
    },
    isIgnored,
  });
  const signals = new AppSignals({ changed: signalsChanged, run: () => cycle.run });
  const missingServer = new MissingServer({
    isMissing: () => endsByItself && front.addresses().length === 0 && cycle.phase === "running",
    tell: () => {
      const taken = takenPorts.of(cycle.app?.epoch.number ?? 0);
      if (taken) void takenPorts.tell(taken, false);
      // A port that was asked for is missed.
      const level = options.port === undefined ? "info" : "warn";
      const hasListened = front.hasListened(cycle.app?.epoch.number ?? 0);
      const missing = whatIsMissing(options.port, hasListened) + (hasListened ? "" : " so far");
      const { started } = listening;
      const message = `${shownPath(options.entry, process.cwd())} runs; ${missing}`;
      emit("log", { level, message, ...(started && { started }) });
    },
  });
  const cycle = new ReloadCycle({
    options,
    table,
    front,
    registry,
    ownWrites,
    monitoring,
    preparer,
    epochs,
    inPlace,
    leaks,
    control,
    view,
    listening,
    address,
    subclasses,
    configChanges: new ConfigChanges(options.configFiles),
    startSettled,
    silentMs: (epoch) => watch.silentMs(epoch.number),
    takenPorts,
    progress,
    missingServer,
    guard,
    over,
    endsWithApp,
    emit,
  });

  return {
    cycle,
    front,
    registry,
    monitoring,
    preparer,
    epochs,
    leaks,
    control,
    view,
    endpoints,
    listening,
    address,
    embedding,
    socketFolder,
    startSettled,
    watch,
    progress,
    signals,
    packageFiles,
  };
}
