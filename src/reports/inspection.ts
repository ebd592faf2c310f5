/** What `inspect()` gives: plain data about what runs at the moment, for people and tests. */
import type { PublicAddress } from "../common/protocol/bound-address.js";
import type { StaleReferencesReport } from "./report.js";
import type { Tally } from "./tally.js";

/** What runs now. */
export interface Inspection {
  /** What the supervisor is doing. */
  readonly phase: "booting" | "running" | "reloading" | "failed" | "closing" | "closed";
  /** Rises by one for every reload that was applied; 0: nothing has been loaded yet. */
  readonly generation: number;
  /** Rises by one for every worker; 0: there is none. */
  readonly epoch: number;
  /** Own modules that are loaded: absolute paths. */
  readonly modules: string[];
  /** Who uses whom, of all modules that are known. */
  readonly edges: InspectedModule[];
  /** Requests and calls that have begun and not ended. */
  readonly inFlight: number;
  /** Workers that were replaced and finish what they have begun. */
  readonly draining: number;
  /** File to the classes that its evaluation made. */
  readonly classes: Record<string, { readonly name: string; readonly bases: string[] }[]>;
  /** What was asked for by `require`, with the files that match. */
  readonly monitored: MonitoredPattern[];
  /** What is loaded when it is first used. */
  readonly autoloads: Autoload[];
  /** As of the last look. */
  readonly staleReferences: readonly StaleReferencesReport[];
  /** The thread that is kept ready for a fresh worker. */
  readonly standby: StandbyState;
  /** What has become of the reloads since the start. */
  readonly tally: Tally;
  /** The public ones. */
  readonly addresses: PublicAddress[];
}

/** An own module and the files that it leads to. */
export interface InspectedModule {
  /** Absolute path. */
  readonly file: string;
  /** Files that it names in static imports and literal `require()`. */
  readonly imports: string[];
  /** Files that it used while it was evaluated: a change of these evaluates it again. */
  readonly observed: string[];
  /** Files that it names in `import()`. */
  readonly dynamic: string[];
}

/** Files that are loaded and watched without being imported. */
export interface MonitoredPattern {
  /** The module that asked; undefined: an option, or the host. */
  readonly by: string | undefined;
  /** Absolute globs. */
  readonly patterns: readonly string[];
  /** Those that match now. */
  readonly files: readonly string[];
}

/** A name that loads a file when it is first read. */
export interface Autoload {
  /** As it is read. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  /** The module that asked for it. */
  readonly by: string;
  /** It has been read. */
  readonly loaded: boolean;
}

/** The thread that is kept ready for the next fresh worker: what it is good for, and what it costs. */
export interface StandbyState {
  /** `bare`: only the supervisor's own part is loaded. */
  readonly state: "none" | "bare" | "loading" | "ready";
  /** Files of packages that were asked for ahead. */
  readonly packages: number;
  /** V8's heap of the thread and what it holds outside, when it was ready. */
  readonly heapBytes: number;
  /** Milliseconds that the packages took to load. */
  readonly loadMs: number;
}
