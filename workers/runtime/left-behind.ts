/**
 * What evaluations have left behind and goes on behind an await or in a callback of Node's: each piece of it is told when it
 * begins and ends; and whether something of it is still under way, so that more will come. On only while continuations are
 * watched.
 */
import { type AsyncHook, createHook, executionAsyncResource } from "node:async_hooks";
import { LEFT_BEHIND_MS } from "../../src/common/deadlines.js";
import type { ModuleEdges } from "./module-edges.js";

/** `timer`: what Node runs for a timer; if that is the version's, its callback is told by itself, within this piece. */
export type PieceKind = "once" | "repeated" | "timer";

export interface PieceWatch {
  goesOn(edges: ModuleEdges, kind: PieceKind): void;
  paused(edges: ModuleEdges): void;
}

export interface LeftBehindOptions {
  /** Whose the piece is that begins, by its async context. */
  owner(): ModuleEdges | undefined;
  /** What begins is a part of what comes again and again. */
  isRepeated(): boolean;
  watch(): readonly PieceWatch[];
}

/** What calls back once. Timers are followed by themselves (workers/ledger/timer-chains.ts). */
const CALLS_BACK =
  /^(?:PROMISE|FSREQ\w*|GETADDRINFOREQWRAP|(?:TCP|PIPE)CONNECTWRAP|PROCESSWRAP|HTTPCLIENTREQUEST|(?:SCRYPT|PBKDF2|KEYGEN|RANDOMBYTES|SIGN)\w*)$/;
/** How often is looked whether something is under way. */
const LOOK_MS = 100;
/** More is not noted: an evaluation that leaves so much behind leaves something at any time. */
const MOST = 10_000;

export class LeftBehind {
  readonly #options: LeftBehindOptions;
  readonly #hook: AsyncHook;
  #active = false;
  /** Async id to whose it is, of what was begun and has not called back. */
  readonly #underWay = new Map<number, ModuleEdges>();
  /** Outermost first. */
  readonly #pieces: { readonly asyncId: number; readonly owner: ModuleEdges }[] = [];

  constructor(options: LeftBehindOptions) {
    this.#options = options;
    this.#hook = createHook({
      init: (asyncId, type) => this.#begun(asyncId, type),
      promiseResolve: (asyncId) => void this.#underWay.delete(asyncId),
      before: (asyncId) => this.#begin(asyncId),
      after: (asyncId) => this.#end(asyncId),
    });
  }

  switch(on: boolean): void {
    if (on === this.#active) return;
    this.#active = on;
    if (on) {
      this.#hook.enable();
      return;
    }
    this.#hook.disable();
    for (const { owner } of this.#pieces.splice(0).reverse()) {
      for (const watch of this.#options.watch()) watch.paused(owner);
    }
    this.#underWay.clear();
  }

  /** Whether something that current versions have begun has not called back. */
  get isUnderWay(): boolean {
    for (const [asyncId, owner] of this.#underWay) {
      if (!owner.purged) return true;
      this.#underWay.delete(asyncId);
    }
    return false;
  }

  /** Calls `end` when nothing is under way any more, or has been for too long. */
  follow(end: () => void): void {
    const until = performance.now() + LEFT_BEHIND_MS;
    const look = (): void => {
      if (this.isUnderWay && performance.now() < until) setTimeout(look, LOOK_MS).unref();
      else end();
    };
    setTimeout(look, LOOK_MS).unref();
  }

  #begun(asyncId: number, type: string): void {
    if (this.#underWay.size >= MOST || !CALLS_BACK.test(type)) return;
    const owner = this.#options.owner();
    if (owner !== undefined) this.#underWay.set(asyncId, owner);
  }

  #begin(asyncId: number): void {
    const owner = this.#options.owner();
    if (owner === undefined) return;
    this.#pieces.push({ asyncId, owner });
    const kind = isTimer(executionAsyncResource()) ? "timer" : this.#options.isRepeated() ? "repeated" : "once";
    for (const watch of this.#options.watch()) watch.goesOn(owner, kind);
  }

  #end(asyncId: number): void {
    this.#underWay.delete(asyncId);
    const index = this.#pieces.findLastIndex((piece) => piece.asyncId === asyncId);
    if (index < 0) return;
    const owner = this.#pieces[index]?.owner as ModuleEdges;
    this.#pieces.length = index;
    for (const watch of this.#options.watch()) watch.paused(owner);
  }
}

function isTimer(resource: object): boolean {
  return "_onTimeout" in resource || "_onImmediate" in resource;
}
