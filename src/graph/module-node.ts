/** What is known about one of the app's own files: what it imports, and what it used while it was evaluated. */
import type { ModuleFormat } from "../common/compile/compiled-module.js";
import type { Acceptance } from "../common/protocol/messages.js";

export interface ModuleNode {
  /** Absolute path. */
  readonly file: string;
  readonly hash: string;
  readonly format: ModuleFormat;
  /** Own files of static imports (ESM), in source order. */
  readonly imports: readonly string[];
  /** Own files of literal `require()` calls, in source order; some may only run late. */
  readonly requires: readonly string[];
  /** Names that must exist in own ESM targets. `whole`: the target's namespace is imported as well. */
  readonly links: readonly { readonly target: string; readonly names: readonly string[]; readonly whole?: boolean }[];
  /** Names that the file itself exports, `export *` not expanded. */
  readonly exports: readonly string[];
  /** Own files of `export *`. */
  readonly stars: readonly string[];
  /** An `export *` leads outside the own ESM files (a package, CommonJS): any name may exist. */
  readonly opaqueStars: boolean;
  /**
   * Own files read or required while this file was evaluated, as the worker reported them. For a text that has not been
   * evaluated yet: what its last version observed, without what the new text cannot reach any more.
   */
  readonly observed: ReadonlySet<string>;
  /** Own files that have set globals that the last evaluated version read at its evaluation; absent for the many without. */
  readonly globals?: ReadonlySet<string> | undefined;
  /** Own files that `require()` or `import()` loaded late, or by a computed specifier. */
  readonly dynamic: ReadonlySet<string>;
  /** Own files that calls of `unreloader.require()` and the like in this file load, in order; absent for the many without. */
  readonly monitored?: readonly string[] | undefined;
  /** Own files to whose state the last evaluated version has written; absent for the many that write to none. */
  readonly written?: ReadonlySet<string> | undefined;
  /** What the last evaluated version has set that is no module's, as the worker calls it: globals, variables of the environment, patches. */
  readonly sets?: ReadonlySet<string> | undefined;
  /** The same of that to which it has added something: collections of packages, listeners. */
  readonly registers?: ReadonlySet<string> | undefined;
  readonly evaluated: boolean;
  /** As the last evaluated version said; absent for the many that say nothing. */
  readonly hot?: Acceptance | undefined;
}
