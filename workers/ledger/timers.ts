/**
 * Timers that modules set: cleared at purge. Only the functions that users call are wrapped: Node's own timers, which
 * keep the `Date` header going, are made below them.
 */
import timers from "node:timers";
import { packageOf } from "../../src/common/paths.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import { type Caller, callerOf } from "./caller.js";
import type { Ledger, LedgerEntry } from "./ledger.js";
import { type AnyFunction, replaceMethod, replaceValue } from "./replace.js";
import type { TimerChains } from "./timer-chains.js";

/** Of Node's timer objects, what is used here. */
interface Timer {
  /** Fired and not repeating, or cleared. */
  readonly _destroyed: boolean;
  refresh?(): unknown;
}

/** Libraries that share one timer among all their users: it is no single module's. */
const SHARED = /[\\/]node_modules[\\/]undici[\\/]/;
/** Nobody polls that often; foreachasync takes 4. */
const TURN_MS = 10;
/** A package that waits for longer has a clock of its own, rather than a pause between two jobs. */
const PAUSE_MS = 2000;
/** Timers of one version are looked through for cleared ones when there are so many. */
const FIRST_SWEEP = 64;

export interface TimersOptions {
  readonly ledger: Ledger;
  readonly observer: Observer;
  readonly chains: TimerChains;
  /** The purge of a file has ended what may be a pause of a queue that a package has for all. */
  pauseEnded(file: string, packageName: string): void;
}

/** Returns the way back. */
export function installTimers(options: TimersOptions): () => void {
  const book = new TimerBook(options.ledger);
  const wrap = (what: string, clearTimer: (timer: never) => void, repeats: boolean) => (original: AnyFunction) =>
    wrapSetter(original, { ...options, book, what, clear: clearTimer as (timer: Timer) => void, repeats });
  const restores = [
    replaceMethod(timers, "setTimeout", wrap("timeout", timers.clearTimeout, false)),
    replaceMethod(timers, "setInterval", wrap("interval", timers.clearInterval, true)),
    replaceMethod(timers, "setImmediate", wrap("immediate", timers.clearImmediate, false)),
  ];
  for (const name of ["setTimeout", "setInterval", "setImmediate"] as const) {
    restores.push(replaceValue(globalThis, name, timers[name]));
  }
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

interface Setter extends TimersOptions {
  readonly book: TimerBook;
  readonly what: string;
  readonly clear: (timer: Timer) => void;
  readonly repeats: boolean;
}

function wrapSetter(original: AnyFunction, setter: Setter): AnyFunction {
  const { observer, chains, book, what, repeats, clear, pauseEnded } = setter;
  return function set(this: unknown, ...args: unknown[]): unknown {
    const owner = observer.active ? observer.owner : undefined;
    const [callback, delay] = args;
    if (owner === undefined || typeof callback !== "function") return Reflect.apply(original, this, args);
    const caller = callerOf(set);
    if (isShared(caller, what, delay)) return Reflect.apply(original, this, args);
    const chain = chains.current(owner, repeats);
    const fired = function (this: unknown, ...given: unknown[]): unknown {
      if (!repeats) book.drop(timer);
      return chains.fire(chain, () => Reflect.apply(callback, this, given));
    };
    const timer = Reflect.apply(original, this, [fired, ...args.slice(1)]) as Timer;
    const pausing = what === "timeout" && Number(delay) <= PAUSE_MS ? packageOf(caller.file)?.name : undefined;
    book.add(owner, timer, what, (timer) => {
      if (pausing !== undefined && !timer._destroyed) pauseEnded(owner.file, pausing);
      clear(timer);
    });
    if (timer.refresh) keepBookOfRefresh(timer, () => book.add(owner, timer, what, clear));
    return timer;
  };
}

/** A timer that has fired may be started again by its `refresh()`. */
function keepBookOfRefresh(timer: Timer, add: () => void): void {
  const { refresh } = timer;
  Object.defineProperty(timer, "refresh", {
    configurable: true,
    writable: true,
    value(): unknown {
      add();
      return Reflect.apply(refresh as AnyFunction, timer, []);
    },
  });
}

/**
 * A package's immediate, or a timeout that comes about as soon, is a turn of a queue that it has for all its users
 * (bluebird's promises, the walk through a folder that hbs makes): it comes once, and if it never came, the queue would
 * stand still for ever.
 */
function isShared({ kind, file, through }: Caller, what: string, delay: unknown): boolean {
  const isTurn = what === "immediate" || (what === "timeout" && !(Number(delay) > TURN_MS));
  if (kind === "package" && isTurn) return true;
  return kind === "node" || kind === "supervisor" || through.length > 0 || SHARED.test(file);
}

/** Which timers have an entry in the ledger. Cleared ones are noticed now and then: `clearTimeout` costs requests nothing. */
class TimerBook {
  readonly #ledger: Ledger;
  /** Version -> timer -> its entry; an entry leaves when the timer fires, is found cleared, or is undone. */
  readonly #owned = new WeakMap<ModuleEdges, Map<Timer, LedgerEntry>>();
  readonly #drops = new WeakMap<Timer, () => void>();
  /** Version -> number of timers that makes the next sweep. */
  readonly #nextSweep = new WeakMap<ModuleEdges, number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  add(owner: ModuleEdges, timer: Timer, what: string, clear: (timer: Timer) => void): void {
    if (this.#drops.has(timer)) return;
    let owned = this.#owned.get(owner);
    if (!owned) {
      owned = new Map();
      this.#owned.set(owner, owned);
    }
    const timersOfOwner = owned;
    const undo = () => {
      this.drop(timer);
      clear(timer);
    };
    this.#drops.set(timer, () => {
      timersOfOwner.get(timer)?.drop();
      timersOfOwner.delete(timer);
    });
    const entry = this.#ledger.record(what, undo, owner);
    if (!entry || owner.purged) return;
    owned.set(timer, entry);
    this.#sweep(owner, owned);
  }

  drop(timer: Timer): void {
    this.#drops.get(timer)?.();
    this.#drops.delete(timer);
  }

  #sweep(owner: ModuleEdges, owned: Map<Timer, LedgerEntry>): void {
    if (owned.size < (this.#nextSweep.get(owner) ?? FIRST_SWEEP)) return;
    for (const timer of owned.keys()) if (timer._destroyed) this.drop(timer);
    this.#nextSweep.set(owner, Math.max(FIRST_SWEEP, owned.size * 2));
  }
}
