/**
 * Whose work runs now, told whenever that changes: an evaluation that goes on after an await, or what has nothing to do
 * with one, as a request. Asked at the beginning of every piece of work (a callback of the event loop, a tick, what
 * comes behind an await), so it is switched on only while evaluations may go on.
 */
import { type AsyncHook, createHook, executionAsyncResource } from "node:async_hooks";
import type { ModuleEdges } from "./module-edges.js";

/** `unknown`: a driver's own socket, say, whose callback may be what an evaluation waits for. */
export type Doer = ModuleEdges | "nobody" | "unknown";

export interface TurnsOptions {
  /** By the async context of the piece that begins. */
  doer(): Doer;
  /** What the piece leaves to continue is nobody's, too. */
  leaveToNobody(): void;
  /** Whether work of which nothing is known is taken for an evaluation's. */
  countsUnknown(): boolean;
}

export interface TurnWatch {
  /** An evaluation goes on; only the first time after others have run. */
  resumed(): void;
  /** This one is among those that go on now. */
  goesOn(edges: ModuleEdges): void;
  /** Its evaluation is going to wait. */
  waits(edges: ModuleEdges): void;
  /** Others are about to run. `doers`: who ran until now, as far as known. */
  interrupted(doers: ReadonlySet<ModuleEdges>): void;
}

interface Piece {
  readonly asyncId: number;
  readonly doer: Doer;
}

export class Turns {
  watch: TurnWatch | undefined;
  /**
   * Modules are being evaluated one after the other: between two of them nothing of the app runs, so that the turn is the
   * evaluation's until another piece begins. (Each change of turn costs a look at all that is open: 50 modules took 2 s.)
   */
  evaluatesMany = false;
  readonly #options: TurnsOptions;
  readonly #hook: AsyncHook;
  #active = false;
  /** Outermost first. Pieces that began before the hook was switched on are missing. */
  readonly #pieces: Piece[] = [];
  #isNobodys = false;
  /** Since the last interruption. */
  readonly #doers = new Set<ModuleEdges>();
  /** Objects of Node whose callbacks are nobody's: sockets that were upgraded. */
  readonly #nobodys = new WeakSet<object>();

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#hook = createHook({
      before: (asyncId) => this.#begin(asyncId),
      after: (asyncId) => this.#end(asyncId),
    });
  }

  get active(): boolean {
    return this.#active;
  }

  /** What `resource` calls back is nobody's. */
  mark(resource: object): void {
    this.#nobodys.add(resource);
  }

  switch(on: boolean): void {
    if (on === this.#active) return;
    this.#active = on;
    if (on) {
      this.#hook.enable();
      return;
    }
    this.#hook.disable();
    this.#pieces.length = 0;
    this.#isNobodys = false;
    this.#doers.clear();
  }

  /** Runs a part of the piece that is under way, with a doer of its own. */
  run<T>(doer: Doer, run: () => T): T {
    if (!this.#active) return run();
    const wasNobodys = this.#isNobodys;
    this.#pieces.push({ asyncId: 0, doer });
    this.#become(doer);
    try {
      return run();
    } finally {
      if (this.#active) {
        this.#pieces.pop();
        // A request's own piece, within which it asked for a module, goes on behind it.
        const isWithinRun = this.#pieces.at(-1)?.asyncId === 0;
        if (!this.evaluatesMany || isWithinRun) this.#turn(wasNobodys);
      }
    }
  }

  #begin(asyncId: number): void {
    let doer = this.#options.doer();
    const isMarked = this.#nobodys.has(executionAsyncResource());
    // A TLS session on an upgraded socket, a parser: called from within, and knows nothing of it.
    if (isMarked || (doer === "unknown" && this.#pieces.at(-1)?.doer === "nobody")) doer = "nobody";
    if (isMarked) this.#options.leaveToNobody();
    this.#pieces.push({ asyncId, doer });
    this.#become(doer);
  }

  #end(asyncId: number): void {
    const index = this.#pieces.findLastIndex((piece) => piece.asyncId === asyncId);
    if (index < 0) return;
    this.#pieces.length = index;
    // What comes next says itself whose it is; until then nothing runs.
    const outer = this.#pieces.at(-1);
    if (outer) this.#become(outer.doer);
  }

  #become(doer: Doer): void {
    if (doer === "unknown") {
      this.#turn(!this.#options.countsUnknown());
      return;
    }
    this.#turn(doer === "nobody");
    if (doer === "nobody" || this.#doers.has(doer)) return;
    this.#doers.add(doer);
    this.watch?.goesOn(doer);
  }

  #turn(isNobodys: boolean): void {
    if (isNobodys === this.#isNobodys) return;
    this.#isNobodys = isNobodys;
    if (isNobodys) {
      this.watch?.interrupted(this.#doers);
      this.#doers.clear();
    } else {
      this.watch?.resumed();
    }
  }
}
