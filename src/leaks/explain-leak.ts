/** Finds out what keeps purged code alive, from a heap snapshot of the app's thread that another thread reads. */
import { rmSync } from "node:fs";
import path from "node:path";
import { reviveError } from "../common/protocol/serialized-error.js";
import type { AppEpoch } from "../thread/app-epoch.js";
import { explainInThread } from "./heap/explain-in-thread.js";
import type { HolderPlace } from "./heap/function-place.js";
import { type LeakReport, leakReports } from "./leak-report.js";

export interface ExplainOptions {
  /** Folder that only this user can read: a snapshot holds all that the app knows. */
  readonly folder: string;
  locate(place: HolderPlace): HolderPlace;
}

/**
 * The snapshot stops the app's thread (about a second for each 100 MB of heap); nothing is written when all that was
 * purged has been collected. Empty also when the thread has ended meanwhile.
 */
export async function explainLeak(epoch: AppEpoch, { folder, locate }: ExplainOptions): Promise<LeakReport[]> {
  const file = path.join(folder, `leak-${epoch.number}.heapsnapshot`);
  try {
    const written = await epoch.writeHeapSnapshot(file);
    if (!written || written.marked.length === 0) return [];
    if (written.error) throw reviveError(written.error);
    const markers = written.marked.flatMap((marked) => marked.markers);
    return leakReports(written.marked, await explainInThread(file, markers), locate);
  } finally {
    rmSync(file, { force: true });
  }
}
