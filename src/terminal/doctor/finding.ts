/** What a check has found: what it means, and what to do. */

export interface Finding {
  /** What was looked at. */
  readonly check: string;
  /** `bad`: it keeps unreloader from working. `warn`: something works worse than it could. */
  readonly level: "ok" | "warn" | "bad";
  /** What there is. */
  readonly found: string;
  /** What it leads to; absent when all is well. */
  readonly means?: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** A project, as the checks look at it. */
export interface Project {
  readonly root: string;
  /** Of package.json; empty when there is none, or it is none. */
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly main?: string;
  readonly type?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
}
