/**
 * Who is being evaluated now, and what it reads: the observed edges.
 * The reader is the innermost module whose body runs. What its evaluation starts and leaves to continue later (the rest
 * of `async function main()`) still counts as its own while the observing window is open.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type EvaluationWatch, together } from "./evaluation-watch.js";
import { LeftBehind, type PieceWatch } from "./left-behind.js";
import type { ModuleEdges } from "./module-edges.js";
import { RepeatedUses } from "./repeated-uses.js";
import { type Doer, Turns, type TurnWatch } from "./turns.js";

/** What goes on asynchronously, and whose doing it is. */
interface Continuation {
  /** Undefined: no module's, as a request. */
  readonly edges: ModuleEdges | undefined;
  /** Not a part of the evaluation: what a timer does again and again. */
  readonly isLate: boolean;
}

const NOBODYS: Continuation = { edges: undefined, isLate: true };
const nobodysNow = (): Continuation => ({ ...NOBODYS });

export class Observer {
  /** True while a read could belong to a module. Every read of a namespace checks it, so it is a plain field. */
  active = false;
  /** Told when a module gets hold of what a file exports; at least at its first read. */
  reached: ((reader: ModuleEdges, file: string) => void) | undefined;
  /** Called when no module is evaluated any more, nor goes on with what its evaluation began. */
  idle: (() => void) | undefined;
  /** Runs each piece of a module's evaluation, for who has to know what that begins. */
  within: (<T>(edges: ModuleEdges, run: () => T) => T) | undefined;
  #evaluating: ModuleEdges | undefined;
  /** Whose callback (a timer's) is on the stack, after its evaluation. */
  #resumed: Continuation | undefined;
  /** What runs now was started by a module, but is not its doing: a package being loaded, say. */
  #outside = false;
  readonly #continuations = new AsyncLocalStorage<Continuation>();
  #windowOpen = false;
  /** Asynchronous evaluations under way: they keep the window open. */
  #pending = 0;
  /** Callbacks of timers whose continuations are watched. */
  #followed = 0;
  /** Edges of what was evaluated in this window; closed with it. */
  readonly #inWindow = new Set<ModuleEdges>();
  /** What was evaluated since the window was opened last. */
  #ofWindow = new WeakSet<ModuleEdges>();
  /** What is nobody's and has begun since then. */
  #newcomers = nobodysNow();
  readonly #turns = new Turns({
    doer: () => this.#doer(),
    leaveToNobody: () => this.#continuations.enterWith(NOBODYS),
    countsUnknown: () => this.#windowOpen && !this.inUse?.(),
  });
  #pieceWatches: readonly PieceWatch[] = [];
  readonly #leftBehind = new LeftBehind({
    owner: () => this.#continuations.getStore()?.edges,
    isRepeated: () => this.#continuations.getStore()?.isLate === true,
    watch: () => this.#pieceWatches,
  });
  /** Continuations have been watched, and costs remain until that is switched off. */
  #watched = false;
  #turn: object | undefined;
  #watches: readonly EvaluationWatch[] = [];
  /** All of them as one. */
  #watch: EvaluationWatch | undefined;

  /** Whether requests may be under way that nobody has told of (`nobodys`). */
  inUse: (() => boolean) | undefined;

  /** From here on modules are evaluated one after the other; until it is set to false. */
  set evaluatesMany(on: boolean) {
    this.#turns.evaluatesMany = on;
  }

  /** Told whose work runs while evaluations may go on asynchronously. */
  set turns(watch: TurnWatch) {
    this.#turns.watch = watch;
  }

  /** The module to which reads that happen now are attributed. */
  get reader(): ModuleEdges | undefined {
    if (!this.active) return undefined;
    const edges = this.#evaluating ?? this.#readsOf(this.#continued);
    return edges?.open ? edges : undefined;
  }

  /** The module whose files are read now: as `reader`, and whatever its evaluation has left to go on, however late. */
  get fileReader(): ModuleEdges | undefined {
    if (!this.active) return undefined;
    const edges = this.#evaluating ?? (this.#continued ?? this.#resumed)?.edges;
    return edges?.purged ? undefined : edges;
  }

  /** Stands for the callback that runs now, of a timer that comes again and again. */
  get repetition(): object | undefined {
    if (this.#evaluating) return undefined;
    const late = this.#continued ?? this.#resumed;
    return late?.isLate ? late : undefined;
  }

  /** Stands for the turn of the event loop in which an `async` function goes on, if one does. */
  get continuedTurn(): object | undefined {
    if (!this.continuing) return undefined;
    if (!this.#turn) {
      this.#turn = {};
      setImmediate(() => {
        this.#turn = undefined;
      }).unref();
    }
    return this.#turn;
  }

  /**
   * The version to which what is created now belongs: it is being evaluated, or goes on with what its evaluation began.
   * It may have been purged meanwhile. Undefined in requests, and while a package is being loaded.
   */
  get owner(): ModuleEdges | undefined {
    if (!this.active || this.#outside) return undefined;
    return this.#evaluating ?? (this.#resumed ?? this.#continued)?.edges;
  }

  /** Whether the owner is one because its continuation runs: neither its body nor a callback of it is on the stack. */
  get continuing(): boolean {
    return !this.#evaluating && !this.#resumed && this.owner !== undefined;
  }

  get #continued(): Continuation | undefined {
    return this.#watchesContinuations ? this.#continuations.getStore() : undefined;
  }

  #readsOf(continued: Continuation | undefined): ModuleEdges | undefined {
    return continued?.isLate ? undefined : continued?.edges;
  }

  /**
   * Whether what runs now is a module's evaluation, or has begun since the window was opened last: what an evaluation goes on
   * with, its timers, requests that it sends to the app itself.
   */
  get isOfWindow(): boolean {
    if (this.#evaluating !== undefined) return true;
    const continued = this.#continued;
    if (continued === this.#newcomers) return true;
    const edges = (this.#resumed ?? continued)?.edges;
    return edges !== undefined && this.#ofWindow.has(edges);
  }

  /** Whether the version was evaluated since the window was opened last. */
  isEvaluatedInWindow(edges: ModuleEdges): boolean {
    return this.#ofWindow.has(edges);
  }

  /** Whether a module's body is on the stack. */
  get evaluating(): boolean {
    return this.#evaluating !== undefined;
  }

  /** A binding of `file` is being read. */
  read(file: string): void {
    const { reader } = this;
    if (!reader) this.#readLater(file);
    else if (reader.observe(file)) this.reached?.(reader, file);
  }

  /**
   * The window has closed, and what an evaluation has left behind goes on. What comes once is a part of the start, however late: nobody
   * would do it again. What comes again and again reads the new version then.
   */
  #readLater(file: string): void {
    const edges = this.fileReader;
    if (!edges || file === edges.file) return;
    const { repetition } = this;
    const use = `modules ${file}`;
    if (!repetition) {
      edges.repeated?.drop(use);
      edges.observe(file);
      return;
    }
    if (edges.observed.has(file) && !edges.repeated?.has(use)) return;
    edges.repeated ??= new RepeatedUses();
    const taken = edges.repeated.take(use, repetition);
    if (taken === "first") edges.observe(file);
    else if (taken === "again") edges.overlooks(file);
  }

  /** A global that `file` has set is being read. */
  readGlobal(file: string): void {
    const { reader } = this;
    if (reader?.usesGlobal(file)) this.reached?.(reader, file);
  }

  /** Runs what looks at the app's modules without being one of them: its reads are nobody's. */
  unobserved<T>(run: () => T): T {
    const { active } = this;
    this.active = false;
    try {
      return run();
    } finally {
      this.active = active;
    }
  }

  /** Runs a piece of a module's evaluation. */
  evaluate<T>(edges: ModuleEdges, run: () => T): T {
    const outer = this.#evaluating;
    const wasOutside = this.#outside;
    this.#evaluating = edges;
    this.#outside = false;
    this.active = true;
    this.#watch?.entering(edges, outer);
    try {
      const { within } = this;
      if (!this.#watchesContinuations) return within ? within(edges, run) : run();
      this.#inWindow.add(edges);
      this.#ofWindow.add(edges);
      const body = within ? () => within(edges, run) : run;
      return this.#turns.run(edges, () => this.#continue({ edges, isLate: false }, body));
    } finally {
      this.#watch?.leaving(edges);
      this.#evaluating = outer;
      this.#outside = wasOutside;
      this.#update();
    }
  }

  /**
   * Runs what nobody owns: a package being loaded, an adapter's own work. Synchronous reads still count. `isWatched`: it may
   * change what watches of evaluations compare; some take a millisecond, and a module asks for fifty packages.
   */
  outside<T>(run: () => T, isWatched = true): T {
    if (!this.active) return run();
    const wasOutside = this.#outside;
    const suspended = wasOutside || !isWatched ? undefined : this.#evaluating;
    if (suspended) this.#watch?.suspending(suspended);
    this.#outside = true;
    try {
      return this.#watchesContinuations ? this.#continuations.exit(run) : run();
    } finally {
      this.#outside = wasOutside;
      if (suspended) this.#watch?.resuming(suspended);
    }
  }

  /**
   * Runs a callback that the version left behind. What it creates synchronously belongs to the version; what it creates
   * later does while continuations are watched (`followContinuations`). `isLate`: it is no part of the version's evaluation,
   * even if the app has not started yet, so that what it reads and writes is no edge.
   */
  resume<T>(edges: ModuleEdges, run: () => T, isLate = false): T {
    const outer = this.#resumed;
    const continuation = { edges, isLate };
    this.#resumed = continuation;
    this.active = true;
    for (const watch of this.#pieceWatches) watch.goesOn(edges, isLate ? "repeated" : "once");
    try {
      if (!this.#watchesContinuations) return run();
      const isNobodys = isLate || !edges.open || !this.#ofWindow.has(edges);
      return this.#turns.run(isNobodys ? "nobody" : edges, () => this.#continue(continuation, run));
    } finally {
      for (const watch of this.#pieceWatches) watch.paused(edges);
      this.#resumed = outer;
      this.#update();
    }
  }

  /** Runs what is no module's doing: a request, a call from outside. What it reads and writes is no edge. */
  nobodys<T>(run: () => T): T {
    if (!this.#watchesContinuations) return run();
    return this.#turns.run("nobody", () => this.#continue(this.#newcomers, run));
  }

  /** What this object of Node (a socket's handle, say) calls back is no module's doing either. */
  leaveToNobody(resource: object): void {
    this.#turns.mark(resource);
  }

  /** Tells of evaluations until the returned function is called. */
  watchEvaluations(watch: EvaluationWatch): () => void {
    this.#watches = [...this.#watches, watch];
    this.#watch = together(this.#watches);
    return () => {
      this.#watches = this.#watches.filter((other) => other !== watch);
      this.#watch = together(this.#watches);
    };
  }

  /** Tells of callbacks and continuations that modules have left behind until the returned function is called. */
  watchPieces(watch: PieceWatch): () => void {
    this.#pieceWatches = [...this.#pieceWatches, watch];
    return () => {
      this.#pieceWatches = this.#pieceWatches.filter((other) => other !== watch);
    };
  }

  /** Whether modules that were evaluated are still watched going on. */
  get watching(): boolean {
    return this.#observesContinuations;
  }

  openWindow(): void {
    this.#windowOpen = true;
    this.#ofWindow = new WeakSet();
    this.#newcomers = nobodysNow();
    // It is never closed when something is awaited for ever; what is purged is closed already.
    for (const edges of this.#inWindow) if (edges.purged) this.#inWindow.delete(edges);
    this.#update();
  }

  /** From here on requests pay nothing; takes effect when no asynchronous evaluation is under way any more. */
  closeWindow(): void {
    if (this.#windowOpen && this.#leftBehind.isUnderWay) this.#leftBehind.follow(this.followContinuations());
    this.#windowOpen = false;
    this.#update();
  }

  /** Keeps continuations watched until the returned function is called (once). `edges`: of a module that has an await itself. */
  beginPending(edges?: ModuleEdges): () => void {
    this.#pending++;
    this.#update();
    if (edges) {
      this.#watch?.waiting(edges);
      this.#turns.watch?.waits(edges);
    }
    return () => {
      if (edges) this.#watch?.settled(edges);
      this.#pending--;
      this.#update();
    };
  }

  /**
   * Lets what the callbacks of a version leave to continue be its own, until the returned function is called (once). What
   * it reads meanwhile is no edge. Requests pay for it: on Node 20, 20 to 65 % more CPU.
   */
  followContinuations(): () => void {
    this.#followed++;
    this.#update();
    return () => {
      this.#followed--;
      this.#update();
    };
  }

  get #observesContinuations(): boolean {
    return this.#windowOpen || this.#pending > 0;
  }

  get #watchesContinuations(): boolean {
    return this.#observesContinuations || this.#followed > 0;
  }

  #update(): void {
    const watches = this.#watchesContinuations;
    const wasActive = this.active;
    this.active = watches || this.#evaluating !== undefined || this.#resumed !== undefined;
    this.#turns.switch(this.#observesContinuations);
    this.#leftBehind.switch(watches && this.#pieceWatches.length > 0);
    if (this.#inWindow.size > 0 && !this.#observesContinuations) {
      for (const edges of this.#inWindow) edges.setOpen(this.#evaluating === edges);
      this.#inWindow.clear();
    }
    if (wasActive && !this.active) this.idle?.();
    if (watches || !this.#watched) return;
    this.#continuations.disable();
    this.#watched = false;
  }

  /** Of the piece of work that begins. */
  #doer(): Doer {
    const continued = this.#continuations.getStore();
    if (!continued) return "unknown";
    const { edges, isLate } = continued;
    return edges?.open && !isLate && this.#ofWindow.has(edges) ? edges : "nobody";
  }

  #continue<T>(continuation: Continuation, run: () => T): T {
    this.#watched = true;
    return this.#continuations.run(continuation, run);
  }
}
