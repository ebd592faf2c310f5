/** What `inspect()` gives: plain data about what runs at the moment, for people and tests. */
import type { PublicAddress } from "../common/protocol/bound-address.js";
import type { StaleReferencesReport } from "./report.js";
import type { Tally } from "./tally.js";

export interface Inspection {
  readonly phase: "booting" | "running" | "reloading" | "failed" | "closing" | "closed";
  /** Rises by one for every reload that was applied; 0: nothing has been loaded yet. */
  readonly generation: number;
  /** Rises by one for every worker; 0: there is none. */
  readonly epoch: number;
  /** Own modules that are loaded: absolute paths. */
  readonly modules: string[];
  readonly edges: InspectedModule[];
  /** Requests and calls that have begun and not ended. */
  readonly inFlight: number;
  /** Workers that were replaced and finish what they have begun. */
  readonly draining: number;
  /** File to the classes that its evaluation made. */
  readonly classes: Record<string, { readonly name: string; readonly bases: string[] }[]>;
  readonly monitored: MonitoredPattern[];
  readonly autoloads: Autoload[];
  /** As of the last look. */
  readonly staleReferences: readonly StaleReferencesReport[];
  readonly standby: StandbyState;
  readonly tally: Tally;
  /** The public ones. */
  readonly addresses: PublicAddress[];
}

export interface InspectedModule {
  readonly file: string;
  readonly imports: string[];
  /** Files that it used while it was evaluated: a change of these evaluates it again. */
  readonly observed: string[];
  /** Files that it names in `import()`. */
  readonly dynamic: string[];
}

export interface MonitoredPattern {
  /** The module that asked; undefined: an option, or the host. */
  readonly by: string | undefined;
  readonly patterns: readonly string[];
  readonly files: readonly string[];
}

export interface Autoload {
  readonly name: string;
  readonly file: string;
  readonly by: string;
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
