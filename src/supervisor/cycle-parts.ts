/** What a cycle works with. */
import type { Control } from "../control/control.js";
import type { StateView } from "../control/state.js";
import type { FileRegistry } from "../files/registry.js";
import type { Front } from "../front/front.js";
import type { Leaks } from "../leaks/leaks.js";
import type { ConfigChanges } from "../options/config-changes.js";
import type { ResolvedOptions } from "../options/options.js";
import type { ListenReports } from "../reports/listen-reports.js";
import type { Progress } from "../reports/progress.js";
import type { SupervisorEvents } from "../reports/report.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import type { Epochs } from "./epochs.js";
import type { Guard } from "./guard.js";
import type { InPlaceReload } from "./in-place-reload.js";
import type { MissingServer } from "./missing-server.js";
import type { Monitoring } from "./monitoring.js";
import type { OwnWrites } from "./own-writes.js";
import type { Preparer } from "./preparer.js";
import type { PublicAddressChoice } from "./public-address.js";
import type { StartSettled } from "./start-settled.js";
import type { SubclassNames } from "./subclass-names.js";
import type { TakenPorts } from "./taken-ports.js";

export interface CycleParts {
  readonly options: ResolvedOptions;
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly front: Front;
  readonly registry: FileRegistry;
  readonly ownWrites: OwnWrites;
  readonly monitoring: Monitoring;
  readonly preparer: Preparer;
  readonly epochs: Epochs;
  readonly inPlace: InPlaceReload;
  readonly leaks: Leaks;
  readonly control: Control;
  readonly view: StateView;
  readonly listening: ListenReports;
  readonly address: PublicAddressChoice;
  readonly subclasses: SubclassNames;
  readonly configChanges: ConfigChanges;
  readonly startSettled: StartSettled;
  /** How long a thread has been seen not to beat, in milliseconds. */
  silentMs(epoch: AppEpoch): number;
  readonly missingServer: MissingServer;
  readonly takenPorts: TakenPorts;
  /** Undefined: nobody would start another process. */
  readonly guard: Guard | undefined;
  /** Tells what a cycle waits for when it takes long. */
  readonly progress: Pick<Progress, "begin" | "end">;
  /** The app has ended, with this code, and is not to be started again: with the option `exit`, or as `endsWithApp` says. */
  over(code: number): void;
  /** The process that has forked this one talks with the app, or has left it: the end of the app is the end of all. */
  endsWithApp(): boolean;
  /** Never throws. */
  emit<Name extends keyof SupervisorEvents>(event: Name, report: SupervisorEvents[Name]): void;
}
