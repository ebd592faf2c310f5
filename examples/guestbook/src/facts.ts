import { openedDatabase } from "./database.ts";
import { countEntries } from "./entries.ts";
import { countVisit } from "./visits.ts";

/** What shows whether this is still the same process, with the same open database. */
export interface Facts {
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly databaseOpenedAt: Date;
  readonly databaseTookMs: number;
  readonly entries: number;
  /** Visits since the process was started: a counter in memory. */
  readonly visits: number;
}

export async function gatherFacts(): Promise<Facts> {
  const opened = await openedDatabase();
  return {
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    databaseOpenedAt: opened.at,
    databaseTookMs: Math.round(opened.tookMs),
    entries: await countEntries(),
    visits: countVisit(),
  };
}
