/** Who is to know what a thread has told. */
import type { PackageFiles } from "../files/package-files.js";
import type { Front } from "../front/front.js";
import type { Leaks } from "../leaks/leaks.js";
import type { Described } from "../reports/progress.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import type { AppSignals } from "./app-signals.js";
import type { AppNews } from "./epochs.js";
import type { MissingServer } from "./missing-server.js";
import type { ReloadCycle } from "./reload-cycle.js";
import type { StartSettled } from "./start-settled.js";

export interface Concerned {
  readonly cycle: ReloadCycle;
  readonly leaks: Leaks;
  readonly signals: AppSignals;
  readonly startSettled: StartSettled;
  readonly missingServer: MissingServer;
  readonly packageFiles: PackageFiles;
}

export function act(
  epoch: AppEpoch,
  report: AppNews,
  { cycle, leaks, signals, startSettled, missingServer, packageFiles }: Concerned,
): void {
  switch (report.type) {
    case "invalidated":
      cycle.invalidate(epoch, report.file, report.again);
      break;
    case "staleReferencesChecked":
      leaks.found(epoch, report.references, report.news);
      break;
    case "startSettled":
      startSettled.settle();
      missingServer.look();
      break;
    case "signalsListened":
      signals.told(epoch, report.signals);
      break;
    case "packageFilesLoaded":
      packageFiles.track(epoch.number, report);
      break;
    case "queueStopped":
      cycle.queueStopped(epoch, report);
      break;
    case "routeLost":
      cycle.routeLost(epoch, report);
      break;
    case "begunWorkDone":
      cycle.closeUnadopted();
      break;
    default:
      report satisfies never;
  }
}

/** The app has not been told to end yet: what it has begun is waited for. */
export function requestsAtTheEnd(front: Front, isClosing: () => boolean): Described | undefined {
  const count = front.inFlight();
  if (!isClosing() || count === 0) return undefined;
  const what = `${count} ${count === 1 ? "request" : "requests"} in flight`;
  return { line: `waiting for ${what}`, waitedFor: what, isTold: false };
}
