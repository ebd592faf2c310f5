/** What keeps old code alive: the answer to `explainLeak()`, and its lines. Pure. */

import { shownPath } from "../common/paths.js";
import type { StaleReferencesReport } from "../reports/report.js";
import type { HolderPlace } from "./heap/function-place.js";
import type { Holder } from "./heap/path-text.js";

/** What is still alive, and what holds it. */
export interface LeakReport extends StaleReferencesReport {
  /** Most frequent first, not more than three. */
  readonly heldBy: readonly LeakHolder[];
}

/** One way in which old code is kept alive. */
export interface LeakHolder {
  /** From what outlives the reload to the old code. */
  readonly chain: readonly Holder[];
  /** Old versions that are held in this way. */
  readonly count: number;
}

const SHOWN_HOLDERS = 3;

/** `chains`: by marker. What nobody holds any more is left out. `locate` gives the place in the source. */
export function leakReports(
  marked: readonly { readonly reference: StaleReferencesReport; readonly markers: readonly string[] }[],
  chains: ReadonlyMap<string, readonly Holder[]>,
  locate: (place: HolderPlace) => HolderPlace,
): LeakReport[] {
  const reports: LeakReport[] = [];
  for (const { reference, markers } of marked) {
    const holders = new Map<string, { chain: Holder[]; count: number }>();
    for (const marker of markers) {
      const found = chains.get(marker);
      if (!found) continue;
      const chain = found.map(({ text, place }) => ({ text, ...(place && { place: locate(place) }) }));
      const key = chain.map(({ text, place }) => `${text} ${place?.file}`).join();
      const known = holders.get(key);
      if (known) known.count++;
      else holders.set(key, { chain, count: 1 });
    }
    const heldBy = [...holders.values()].sort((a, b) => b.count - a.count);
    const count = heldBy.reduce((sum, holder) => sum + holder.count, 0);
    if (count > 0) reports.push({ ...reference, count, heldBy: heldBy.slice(0, SHOWN_HOLDERS) });
  }
  return reports;
}

/** For people; paths relative to `cwd`. */
export function leakLines(reports: readonly LeakReport[], cwd: string): string[] {
  if (reports.length === 0) return ["unreloader: nothing is stale: all that was purged has been collected"];
  return reports.flatMap((report) => {
    const { file, class: name, count, generation, inUse } = report;
    const versions = count === 1 ? "1 old version" : `${count} old versions`;
    const shown = shownPath(file, cwd);
    const what = name === undefined ? `module ${shown}` : `class ${name} (${shown})`;
    const note = inUse ? "; an open request or connection may hold it" : "";
    const head = `${what}: ${versions}, purged ${count === 1 ? "in" : "since"} generation ${generation}${note}, held by`;
    return [head, ...report.heldBy.map(({ chain }) => `  ${chain.map((link) => shownLink(link, cwd)).join(" -> ")}`)];
  });
}

function shownLink({ text, place }: Holder, cwd: string): string {
  if (!place) return text;
  return `${text} (${shownPath(place.file, cwd)}${place.line === undefined ? "" : `:${place.line}`})`;
}
