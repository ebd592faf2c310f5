/** What a reload has come to when one plan was not enough: modules turned out to write into others that were kept. Pure. */

import type { LoadedModule } from "../common/protocol/messages.js";
import type { ReloadPlan } from "../graph/plan.js";
import type { PurgedModule } from "../reports/report.js";

export interface AppliedPlans {
  readonly purged: readonly PurgedModule[];
  /** In the order in which they were evaluated last. */
  readonly loaded: readonly LoadedModule[];
  /** Modules were evaluated again because they come in another order than before. */
  readonly isReordered?: boolean;
  /** The files that lead from a file to the change. */
  chainOf(file: string): readonly string[];
}

export function firstApplied(
  { why }: ReloadPlan,
  { purged, loaded }: Pick<AppliedPlans, "purged" | "loaded">,
): AppliedPlans {
  return { purged, loaded, chainOf: (file) => why.get(file) ?? [file] };
}

/** All that were purged or evaluated. */
export function filesOf({ loaded, purged }: AppliedPlans): Set<string> {
  return new Set([...loaded, ...purged].map(({ file }) => file));
}

/** Those of `loaded` that have written into modules that were kept: each would have written a second time. */
export function writersIntoKept(applied: AppliedPlans): string[] {
  const again = filesOf(applied);
  return applied.loaded.filter(({ written }) => written.some((target) => !again.has(target))).map(({ file }) => file);
}

/** `next` was planned for changes that `earlier` has evaluated: its chains go on with the earlier ones. */
export function thenApplied(earlier: AppliedPlans, next: AppliedPlans): AppliedPlans {
  const loadedAgain = new Set(next.loaded.map(({ file }) => file));
  const purged = new Map([...next.purged, ...earlier.purged].map((module) => [module.file, module]));
  return {
    purged: [...purged.values()],
    isReordered: earlier.isReordered === true || next.isReordered === true,
    loaded: [...earlier.loaded.filter(({ file }) => !loadedAgain.has(file)), ...next.loaded],
    chainOf(file) {
      if (!loadedAgain.has(file)) return earlier.chainOf(file);
      const chain = next.chainOf(file);
      return [...chain, ...earlier.chainOf(chain.at(-1) ?? file).slice(1)];
    },
  };
}
