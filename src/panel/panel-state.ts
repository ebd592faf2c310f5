/** What the panel shows, as the supervisor hands it over: `state?panel=all`, and for what changes all the time `state?panel=numbers`. */
// Imports nothing: it is compiled for browsers, too.

export interface PanelState {
  readonly root: string;
  readonly entry: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly phase: string;
  readonly live: boolean;
  readonly generation: number;
  readonly epoch: number;
  readonly content: string | null;
  readonly addresses: readonly string[];
  readonly error: PanelError | null;
  /** Own modules; edges are places in this list. */
  readonly modules: readonly PanelModule[];
  /** Of the last reload: the files that have changed, and for each loaded one those that lead to the change. */
  readonly last: {
    readonly changed: readonly string[];
    readonly why: Readonly<Record<string, readonly string[]>>;
  } | null;
  readonly history: readonly PanelReload[];
  readonly errors: readonly PanelKnownError[];
  readonly stale: readonly PanelStale[];
  /** Null: the thread did not answer in time. */
  readonly created: Readonly<Record<string, readonly string[]>> | null;
  readonly workerHeapBytes: number | null;
  readonly numbers: PanelNumbers;
  readonly edits: readonly {
    readonly code: string;
    readonly outcome: string;
    readonly edit: string;
    readonly why: string;
  }[];
  /** Code to how many of the session's saves it was. */
  readonly tally: Readonly<Record<string, number>>;
}

/** Paths are relative to the root where they are below it. */
export interface PanelModule {
  readonly file: string;
  readonly isLoaded: boolean;
  readonly imports: readonly number[];
  /** Used while it was evaluated: a change of these evaluates it again. */
  readonly observed: readonly number[];
  readonly late: readonly number[];
  readonly classes: readonly string[];
  /** How it was loaded last. */
  readonly load: { readonly generation: number; readonly code: string; readonly chain: readonly string[] } | null;
}

export interface PanelReload {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  readonly code: string;
  readonly outcome: string;
  readonly generation: number;
  readonly epoch: number;
  /** Some of them. */
  readonly changed: readonly string[];
  readonly changedCount: number;
  readonly loaded: number;
  readonly kept: number;
  readonly swapped: number;
  readonly durationMs: number;
  readonly message: string | null;
}

export interface PanelError {
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

export interface PanelKnownError extends PanelError {
  readonly kind: string;
  readonly sinceGeneration: number;
  readonly lastGeneration: number;
  readonly count: number;
  readonly lastAt: number;
}

export interface PanelStale {
  readonly file: string;
  readonly what: string;
  readonly count: number;
  readonly generation: number;
  readonly inUse: boolean;
}

export interface PanelNumbers {
  readonly inFlight: number;
  readonly held: number;
  readonly heldBytes: number;
  /** Workers that were replaced and finish what they have begun. */
  readonly draining: number;
  readonly standby: string;
  readonly standbyBytes: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}
