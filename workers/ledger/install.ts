/** The kinds of things that modules create and the ledger undoes: one file for each. */
import { syncBuiltinESMExports } from "node:module";
import nodeTimers from "node:timers";
import type { EnvironmentTraps } from "../main-thread/environment-view.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import { installChannels } from "./channels.js";
import { Creators } from "./creators.js";
import { installEnvironment } from "./environment.js";
import type { EnvironmentReads } from "./environment-reads.js";
import { installEventTargets } from "./event-targets.js";
import { installFileWatches } from "./file-watch-promises.js";
import { Handles } from "./handles.js";
import { installInstrumentation } from "./instrumentation.js";
import type { Ledger } from "./ledger.js";
import { installListeners } from "./listeners.js";
import type { OwnGlobals } from "./own-globals.js";
import type { OwnPatches } from "./own-patches.js";
import { installProcessSettings } from "./process-settings.js";
import type { PropertyLayers } from "./property-layers.js";
import type { RegistrationPlaces } from "./registration-places.js";
import { Registrations } from "./registrations.js";
import { installSharedProperties } from "./shared-properties.js";
import { TimerChains } from "./timer-chains.js";
import { installTimerPromises } from "./timer-promises.js";
import { installTimers, type TimersOptions } from "./timers.js";

export interface LedgerInstallOptions {
  /** The text of an own file. */
  sourceOf(file: string): string | undefined;
  /** Whether a global that a module has set stays when the module is purged. */
  staysGlobal?(name: string, value: unknown): boolean;
  /** Whether the text of an own module has the name. */
  isMentioned?(name: string): boolean;
  /** Tells of the exports of packages that own modules get. */
  packages?(watch: (exports: unknown) => void): void;
  /** A package has put an object on globalThis. `owner`: while this module was being evaluated. */
  packageGlobal?(name: string, value: object, owner: ModuleEdges | undefined): void;
  readonly places: RegistrationPlaces;
  readonly layers: PropertyLayers;
  readonly ownGlobals: OwnGlobals;
  readonly ownPatches: OwnPatches;
  /** What `process.env` is a proxy of, if it is one. */
  readonly environmentTraps?: EnvironmentTraps | undefined;
  /** Learns how to watch which variables are read. */
  readonly environmentReads?: EnvironmentReads | undefined;
  /** See the timers. */
  readonly pauseEnded: TimersOptions["pauseEnded"];
  /** Whether it is a standard stream that the app has got hold of. */
  isStandardStream?(emitter: object): boolean;
}

/**
 * Lets the ledger see what modules create in this thread. To be called last of all that replaces functions of Node's.
 * Returns the way back; what has been noted stays noted.
 */
export function installLedger(ledger: Ledger, observer: Observer, options: LedgerInstallOptions): () => void {
  const clock = { setTimeout: nodeTimers.setTimeout, setImmediate: nodeTimers.setImmediate };
  const chains = new TimerChains(observer, clock);
  const registrations = new Registrations(ledger);
  const { layers, ownGlobals, ownPatches, environmentReads, pauseEnded } = options;
  const handles = new Handles(ledger);
  const creators = new Creators(observer, (creation) => handles.created(creation));
  const uninstalls = [
    ledger.watchRecords((owner) => chains.recorded(owner)),
    installTimers({ ledger, observer, chains, pauseEnded }),
    installTimerPromises({ ledger, observer, chains, pauseEnded }),
    creators.install(),
    installListeners({
      observer,
      creators,
      registrations,
      places: options.places,
      isOfTheProcess: (emitter) => emitter === process || options.isStandardStream?.(emitter) === true,
    }),
    installEventTargets({ observer, registrations }),
    installChannels({ ledger }),
    installInstrumentation({ ledger }),
    installFileWatches({ ledger }),
    installEnvironment({ observer, layers, traps: options.environmentTraps, reads: environmentReads }),
    installProcessSettings({ ledger }),
    installSharedProperties({
      observer,
      ...options,
      evaluates() {
        ownGlobals.watch();
        ownPatches.watch();
        environmentReads?.begin();
      },
    }),
  ];
  syncBuiltinESMExports();
  observer.idle = () => {
    ownGlobals.unwatch();
    ownPatches.unwatch();
    environmentReads?.end();
  };
  return () => {
    for (const uninstall of uninstalls.reverse()) uninstall();
    syncBuiltinESMExports();
  };
}
