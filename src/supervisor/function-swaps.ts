/**
 * `--scope function`: which edits change nothing but bodies of functions, and what each module runs after such edits. Whether a
 * function was called while modules were evaluated only the thread knows; it may refuse.
 */
import { pathToFileURL } from "node:url";
import { TEXT_MARK } from "../common/compile/cells.js";
import type { CompiledModule, PreparedModule } from "../common/compile/compiled-module.js";
import { compareFunctions, type LiveFunction, liveFunctions } from "../common/compile/live-functions.js";
import type { FunctionSwap } from "../common/protocol/orders.js";
import type { RecordedEdges } from "../graph/recorded.js";
import type { SwappedFile } from "../reports/report.js";
import { isAccepted } from "./in-place-decision.js";
import type { LoadedApp } from "./loaded-app.js";
import type { PendingChanges } from "./pending.js";
import type { Preparation } from "./prepare.js";

/** What a module runs: no entry while that is what it was evaluated from. */
interface Live {
  readonly root: LiveFunction;
  /** Texts that bodies were taken from. */
  readonly texts: number;
}

export interface SwapSituation {
  readonly app: LoadedApp;
  readonly pending: PendingChanges;
  readonly preparation: Preparation;
  readonly recorded: RecordedEdges;
  /** Modules that are to be evaluated for other reasons than their text, or for none. */
  readonly concernsMore: boolean;
}

export type SwapDecision =
  | { readonly type: "not"; readonly because: string }
  | {
      readonly type: "swap";
      readonly swaps: readonly FunctionSwap[];
      readonly swapped: readonly SwappedFile[];
      /** The thread has done it. */
      done(): void;
    };

export class FunctionSwaps {
  /** By file; goes with the app's thread, and when the module is purged. */
  readonly #live = new WeakMap<LoadedApp, Map<string, Live>>();

  decide({ app, pending, preparation, recorded, concernsMore }: SwapSituation): SwapDecision {
    const { added, deleted, invalidated, changed } = pending;
    if (added.size + deleted.size + invalidated.size + app.damaged.length > 0 || concernsMore)
      return { type: "not", because: "more than the text of modules is concerned" };
    if (preparation.failures.size > 0) return { type: "not", because: "a file does not compile" };
    const live = this.#liveOf(app);
    const next = new Map<string, Live>();
    const swaps: FunctionSwap[] = [];
    for (const file of changed) {
      const before = app.modules.get(file);
      const module = preparation.modules.get(file);
      if (app.hasText(module?.compiled)) continue;
      if (!before || !module || !preparation.fresh.has(file)) return { type: "not", because: `${file} is no module` };
      const because = notAlone(app, file, before, module, recorded);
      if (because !== undefined) return { type: "not", because };
      const known = live.get(file) ?? firstOf(before.compiled);
      if (!known) return { type: "not", because: `${file} has no functions to swap` };
      const text = known.texts + 1;
      const place = `${pathToFileURL(file).href}${TEXT_MARK}${text}`;
      const compared = compareFunctions(known.root, before.compiled, module.compiled, { text, place });
      if (compared.type === "other") return { type: "not", because: compared.because };
      next.set(file, { root: compared.live, texts: text });
      swaps.push({ module, text, bodies: compared.bodies });
    }
    if (swaps.length === 0) return { type: "not", because: "nothing differs" };
    return {
      type: "swap",
      swaps,
      swapped: swaps.map(({ module, bodies }) => ({
        file: module.compiled.file,
        functions: bodies.map(({ name }) => name),
      })),
      done: () => {
        for (const [file, one] of next) live.set(file, one);
      },
    };
  }

  /** They are evaluated from their newest text now, or not at all. */
  purged(app: LoadedApp, files: Iterable<string>): void {
    const live = this.#liveOf(app);
    for (const file of files) live.delete(file);
  }

  #liveOf(app: LoadedApp): Map<string, Live> {
    let live = this.#live.get(app);
    if (!live) {
      live = new Map();
      this.#live.set(app, live);
    }
    return live;
  }
}

function firstOf(compiled: CompiledModule): Live | undefined {
  const root = liveFunctions(compiled);
  return root && { root, texts: 0 };
}

/** Others want to know of a change of the file, or it does itself. */
function notAlone(
  app: LoadedApp,
  file: string,
  before: PreparedModule,
  next: PreparedModule,
  recorded: RecordedEdges,
): string | undefined {
  const node = app.graph.get(file);
  if (!node?.evaluated) return `${file} is not evaluated`;
  if (recorded.has(file)) return `${file} is a recorded dependency`;
  if (isAccepted(app.graph, file)) return `${file} is accepted by import.meta.hot or module.hot`;
  if (JSON.stringify([before.imports, before.requires]) !== JSON.stringify([next.imports, next.requires]))
    return `imports of ${file} lead elsewhere`;
  return undefined;
}
