/** State in memory, the kind that a restart loses. */
let visits = 0;
let versions = 0;
let newest: Date | undefined;

export interface Visit {
  /** Since the process was started. */
  readonly visits: number;
  /** Versions of the greeting that visitors have met, this one included. */
  readonly versions: number;
}

/** `loadedAt`: when the greeting that this visitor sees was loaded. */
export function countVisit(loadedAt: Date): Visit {
  visits += 1;
  if (loadedAt !== newest) {
    versions += 1;
    newest = loadedAt;
  }
  return { visits, versions };
}
