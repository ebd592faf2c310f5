import { openedDatabase } from "./database.ts";
import { countEntries } from "./entries.ts";
import { loadedAt } from "./greeting.ts";
import { countVisit, type Visit } from "./visits.ts";

/** What shows whether this is still the same process, with the same open database. */
export interface Facts extends Visit {
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly databaseOpenedAt: Date;
  readonly databaseTookMs: number;
  readonly greetingLoadedAt: Date;
  readonly entries: number;
}

export async function gatherFacts(): Promise<Facts> {
  const opened = await openedDatabase();
  return {
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    databaseOpenedAt: opened.at,
    databaseTookMs: Math.round(opened.tookMs),
    greetingLoadedAt: loadedAt,
    entries: await countEntries(),
    ...countVisit(loadedAt),
  };
}
