/**
 * What a reload has done, step by step, one line each: for the log level `debug`. Pure, and always in the same order, which
 * is the order in which it happened: changes, purges (importers first), then each file that was loaded.
 */

import { shownPath } from "../common/paths.js";
import type { LoadedModule } from "../common/protocol/messages.js";
import type { PurgedModule } from "./report.js";

export interface Changes {
  readonly changed: Iterable<string>;
  readonly added: ReadonlySet<string>;
  readonly deleted: Iterable<string>;
}

export interface Applied {
  /** In the order in which they were purged. */
  readonly purged: readonly PurgedModule[];
  /** In the order in which they were evaluated. */
  readonly loaded: readonly LoadedModule[];
  /** For each loaded file the files that lead from it to the change; absent at a start. */
  readonly why: Readonly<Record<string, readonly string[]>>;
  /** What the version before had used while it was evaluated; undefined: there was none. */
  observedBefore(file: string): ReadonlySet<string> | undefined;
}

export function changeSteps({ changed, added, deleted }: Changes, root: string): string[] {
  return [
    ...[...changed].sort().map((file) => `${shownPath(file, root)} ${added.has(file) ? "was added" : "has changed"}`),
    ...[...deleted].sort().map((file) => `${shownPath(file, root)} was deleted`),
  ];
}

export function appliedSteps({ purged, loaded, why, observedBefore }: Applied, root: string): string[] {
  return [
    ...purged.flatMap(({ file, classes }) => [
      `purged ${shownPath(file, root)}`,
      ...classes.map((name) => `removed class ${name} of ${shownPath(file, root)}`),
    ]),
    ...loaded.flatMap((module) => [
      `loaded ${shownPath(module.file, root)}${reason(why[module.file], root)}`,
      ...module.classes.map((found) => `found ${classLine(found)} in ${shownPath(module.file, root)}`),
      ...edgeSteps(module, observedBefore(module.file), root),
    ]),
  ];
}

/** Files that were loaded between reloads: by an `import()` in a request, or the first read of what is autoloaded. */
export function lateSteps(loaded: readonly LoadedModule[], root: string): string[] {
  return loaded.flatMap((module) => [
    `loaded ${shownPath(module.file, root)} when it was first used`,
    ...module.classes.map((found) => `found ${classLine(found)} in ${shownPath(module.file, root)}`),
  ]);
}

function classLine({ name, bases }: LoadedModule["classes"][number]): string {
  return `class ${name}${bases.map((base) => ` < ${base}`).join("")}`;
}

function reason(chain: readonly string[] | undefined, root: string): string {
  const leads = (chain ?? []).slice(1).map((file) => ` <- ${shownPath(file, root)}`);
  return leads.join("");
}

function edgeSteps({ file, observed }: LoadedModule, before: ReadonlySet<string> | undefined, root: string): string[] {
  const now = new Set(observed);
  const added = observed.filter((target) => !before?.has(target));
  const removed = [...(before ?? [])].filter((target) => !now.has(target));
  return [
    ...added.map((target) => `${shownPath(file, root)} uses ${shownPath(target, root)}`),
    ...removed.map((target) => `${shownPath(file, root)} no longer uses ${shownPath(target, root)}`),
  ];
}
