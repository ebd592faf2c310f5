/** Gathers what the panel shows; only when somebody looks. */
import { PANEL_TOLD_MS } from "../common/deadlines.js";
import { shownPath } from "../common/paths.js";
import type { SerializedError } from "../common/protocol/serialized-error.js";
import type { StateView } from "../control/state.js";
import type { ModuleNode } from "../graph/module-node.js";
import { EDITS, type EditCode } from "../reports/edits.js";
import type { StandbyState } from "../reports/inspection.js";
import type { ReloadReport, StaleReferencesReport } from "../reports/report.js";
import { counted, NO_TALLY } from "../reports/tally.js";
import type { LoadedApp } from "../supervisor/loaded-app.js";
import { PanelHistory } from "./panel-history.js";
import type { PanelError, PanelModule, PanelNumbers, PanelState } from "./panel-state.js";

export interface PanelSources {
  readonly view: StateView;
  readonly root: string;
  app(): LoadedApp | undefined;
  stale(): readonly StaleReferencesReport[];
  inFlight(): number;
  readonly front: { readonly held: number; readonly heldBytes: number };
  readonly epochs: { readonly draining: number; readonly standby: StandbyState };
}

export class PanelView {
  readonly #sources: () => PanelSources;
  readonly #history: PanelHistory;
  #tally = NO_TALLY;

  /** `sources` is called when somebody looks. */
  constructor(root: string, sources: () => PanelSources) {
    this.#sources = sources;
    this.#history = new PanelHistory(root);
  }

  reloaded(report: ReloadReport): void {
    this.#history.add(report);
    this.#tally = counted(this.#tally, report);
  }

  async all(): Promise<PanelState> {
    const { view, root, app, stale } = this.#sources();
    const { entry, pid, startedAt, phase, live, generation, epoch, content, addresses, error, lastReport } = view.now();
    const loaded = app();
    const shown = (file: string): string => shownPath(file, root);
    const told = await loaded?.epoch.created(PANEL_TOLD_MS);
    return {
      root,
      entry: shown(entry),
      pid,
      startedAt,
      phase,
      live,
      generation,
      epoch,
      content,
      addresses,
      error: error && { message: error.message, ...placeOf(error, shown) },
      modules: loaded === undefined ? [] : this.#modules(loaded, shown),
      last: lastReport && {
        changed: lastReport.changed.map(shown),
        why: Object.fromEntries(
          lastReport.loaded.map((file) => [shown(file), (lastReport.why[file] ?? [file]).map(shown)]),
        ),
      },
      history: this.#history.reloads,
      errors: view.errors.since(0).map(({ kind, error: known, sinceGeneration, lastGeneration, count, lastAt }) => ({
        kind,
        message: known.message,
        ...locationOf(known, shown),
        sinceGeneration,
        lastGeneration,
        count,
        lastAt,
      })),
      stale: stale().map(({ file, class: name, entry: registered, count, generation: purged, inUse }) => ({
        file: shown(file),
        what: registered ?? name ?? "the module's scope",
        count,
        generation: purged,
        inUse,
      })),
      created:
        told === undefined ? null : Object.fromEntries(told.created.map(({ file, what }) => [shown(file), what])),
      workerHeapBytes: told?.heapBytes ?? null,
      numbers: this.numbers(),
      edits: (Object.keys(EDITS) as EditCode[]).map((code) => ({ code, ...EDITS[code] })),
      tally: this.#tally.codes,
    };
  }

  numbers(): PanelNumbers {
    const { inFlight, front, epochs } = this.#sources();
    const { rss, heapUsed } = process.memoryUsage();
    const { draining, standby } = epochs;
    return {
      inFlight: inFlight(),
      held: front.held,
      heldBytes: front.heldBytes,
      draining,
      standby: standby.state,
      standbyBytes: standby.heapBytes,
      rssBytes: rss,
      heapBytes: heapUsed,
    };
  }

  #modules(app: LoadedApp, shown: (file: string) => string): PanelModule[] {
    const { reloads } = this.#sources().view;
    const nodes = [...app.graph.nodes()];
    const places = new Map(nodes.map(({ file }, place) => [file, place]));
    const classes = new Map(app.classes);
    const placesOf = (files: Iterable<string>): number[] =>
      [...new Set(files)].flatMap((file) => places.get(file) ?? []);
    return nodes.map((node: ModuleNode) => {
      const load = node.evaluated ? reloads.of(node.file) : undefined;
      return {
        file: shown(node.file),
        isLoaded: node.evaluated,
        imports: placesOf([...node.imports, ...node.requires]),
        observed: placesOf(node.observed),
        late: placesOf(node.dynamic),
        classes: (classes.get(node.file) ?? []).map(({ name }) => name),
        load:
          load === undefined ? null : { generation: load.generation, code: load.code, chain: load.chain.map(shown) },
      };
    });
  }
}

function locationOf({ location }: SerializedError, shown: (file: string) => string): Omit<PanelError, "message"> {
  return placeOf(location ?? {}, shown);
}

function placeOf(
  { file, line, column }: { file?: string | undefined; line?: number | undefined; column?: number | undefined },
  shown: (file: string) => string,
): Omit<PanelError, "message"> {
  return { file: file === undefined ? null : shown(file), line: line ?? null, column: column ?? null };
}
