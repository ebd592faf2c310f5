/**
 * Callbacks of timers that a module has set. What a callback creates synchronously is the module's anyway; what it creates
 * after an await is only if continuations are watched meanwhile, and that makes every request dearer (20 to 65 % on Node
 * 20). So they are watched for as long as it takes, and only for timers that have been seen to need it.
 */
import { types } from "node:util";
import { ownKeys, prototypeOf } from "../../src/common/untouched.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";

/** A timer and those that its callbacks set. */
export interface TimerChain {
  readonly owner: ModuleEdges;
  /** An interval: what it does is not the owner's start, however early it fires. */
  readonly repeats: boolean;
  /** A timer that a callback of the chain has set is as late as an interval. */
  fired: boolean;
  /** Those that were watched. */
  firings: number;
  /** A callback has created something after an await. */
  createsLater: boolean;
}

/** After so many firings without it, a chain is taken to create nothing later. */
const TRIAL_FIRINGS = 3;
/** How long what a callback has left to continue is watched when no promise tells of its end. */
const WATCH_MS = 2000;

interface Clock {
  setTimeout: typeof setTimeout;
  setImmediate: typeof setImmediate;
}

export class TimerChains {
  readonly #observer: Observer;
  /** Node's own functions: these timers are nobody's. */
  readonly #clock: Clock;
  #running: TimerChain | undefined;
  /** Chains whose continuations are watched -> what ends that; from a firing to its end. */
  readonly #watched = new Map<TimerChain, Set<() => void>>();

  constructor(observer: Observer, clock: Clock) {
    this.#observer = observer;
    this.#clock = clock;
  }

  /** The chain that a timer set now belongs to. */
  current(owner: ModuleEdges, repeats = false): TimerChain {
    if (this.#running?.owner === owner) return this.#running;
    for (const chain of this.#watched.keys()) if (chain.owner === owner) return chain;
    return { owner, repeats, fired: false, firings: 0, createsLater: false };
  }

  /** Runs the callback of a timer that belongs to `chain`. */
  fire<Result>(chain: TimerChain, run: () => Result): Result {
    const end = this.#mayCreateLater(chain) ? this.#watch(chain) : undefined;
    const outer = this.#running;
    this.#running = chain;
    try {
      const isLate = chain.repeats || chain.fired;
      chain.fired = true;
      const result = this.#observer.resume(chain.owner, run, isLate);
      if (!end || !isPlainPromise(result)) return result;
      return this.#observer.outside(() => endWith(result, end)) as Result;
    } finally {
      this.#running = outer;
    }
  }

  /** The owner has created something. */
  recorded(owner: ModuleEdges): void {
    if (this.#watched.size === 0 || !this.#observer.continuing) return;
    for (const [chain, ends] of this.#watched) {
      if (chain.owner !== owner) continue;
      chain.createsLater = true;
      // What is created right behind it still belongs to it.
      // Outside: the end switches the watching off in the context that it runs in, which must not be the owner's.
      // Nor does it count as the app's: nothing waits for it.
      for (const end of ends) this.#observer.outside(() => this.#clock.setImmediate(end).unref());
    }
  }

  #mayCreateLater(chain: TimerChain): boolean {
    if (chain.createsLater) return true;
    chain.firings++;
    return chain.firings <= TRIAL_FIRINGS;
  }

  #watch(chain: TimerChain): () => void {
    const endFollowing = this.#observer.followContinuations();
    const ends = this.#watched.get(chain) ?? new Set();
    this.#watched.set(chain, ends);
    const end = () => {
      if (!ends.delete(end)) return;
      if (ends.size === 0) this.#watched.delete(chain);
      endFollowing();
    };
    ends.add(end);
    this.#observer.outside(() => this.#clock.setTimeout(end, WATCH_MS).unref());
    return end;
  }
}

/** Of the language alone: to follow one of another class would run that class. */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  return types.isPromise(value) && prototypeOf(value) === Promise.prototype && ownKeys(value).every(isSymbol);
}

function isSymbol(key: string | symbol): boolean {
  return typeof key === "symbol";
}

/** The same outcome; a rejection stays unhandled if nobody handles it. */
function endWith(promise: Promise<unknown>, end: () => void): Promise<unknown> {
  return promise.finally(end);
}
