/** What modules attach to Node's instruments: diagnostics channels, async hooks, performance observers. */
import { createHook } from "node:async_hooks";
import diagnostics from "node:diagnostics_channel";
import { PerformanceObserver } from "node:perf_hooks";
import { callerOf } from "./caller.js";
import type { Ledger, LedgerEntry } from "./ledger.js";
import { type AnyFunction, replaceMethod } from "./replace.js";

export interface InstrumentationOptions {
  readonly ledger: Ledger;
}

/** Method of `target` and the one of the same object that takes it back. */
interface Pair {
  readonly target: object;
  readonly attach: string;
  readonly detach: string;
  readonly what: string;
  /** Only what was attached with the same argument is taken back. */
  readonly each?: true;
}

/** Returns the way back. */
export function installInstrumentation({ ledger }: InstrumentationOptions): () => void {
  const channel = activeChannelClass();
  const pairs: Pair[] = [
    { target: channel, attach: "subscribe", detach: "unsubscribe", what: "subscription", each: true },
    { target: channel, attach: "bindStore", detach: "unbindStore", what: "bound store", each: true },
    { target: Object.getPrototypeOf(createHook({})), attach: "enable", detach: "disable", what: "async hook" },
    { target: PerformanceObserver.prototype, attach: "observe", detach: "disconnect", what: "performance observer" },
  ];
  const restores = pairs.flatMap((pair) => {
    const attached = new Attached(pair, ledger);
    return [
      replaceMethod(pair.target, pair.attach, (original) => attached.attaching(original)),
      replaceMethod(pair.target, pair.detach, (original) => attached.detaching(original)),
    ];
  });
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

class Attached {
  readonly #pair: Pair;
  readonly #ledger: Ledger;
  /** Channel, hook or observer -> the argument of `attach` -> what is recorded of it; until it is taken back. */
  readonly #entries = new WeakMap<object, Map<unknown, LedgerEntry[]>>();

  constructor(pair: Pair, ledger: Ledger) {
    this.#pair = pair;
    this.#ledger = ledger;
  }

  attaching(original: AnyFunction): AnyFunction {
    const attached = this;
    return function attach(this: unknown, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      if (attached.#ledger.owner === undefined) return result;
      const { kind } = callerOf(attach as AnyFunction);
      if (kind === "own" || kind === "package") attached.#record(this as object, args[0]);
      return result;
    };
  }

  detaching(original: AnyFunction): AnyFunction {
    const attached = this;
    return function detach(this: unknown, ...args: unknown[]): unknown {
      attached.#drop(this as object, args[0]);
      return Reflect.apply(original, this, args);
    };
  }

  #record(target: object, argument: unknown): void {
    const { what, detach, each } = this.#pair;
    const entry = this.#ledger.record(what, () => {
      // A channel without subscribers has another class; its method of that name does nothing.
      (target as Record<string, AnyFunction>)[detach]?.(argument);
    });
    if (entry === undefined) return;
    const key = each ? argument : undefined;
    const entries = this.#entries.get(target) ?? new Map<unknown, LedgerEntry[]>();
    this.#entries.set(target, entries.set(key, [...(entries.get(key) ?? []), entry]));
  }

  #drop(target: object, argument: unknown): void {
    const entries = this.#entries.get(target);
    const key = this.#pair.each ? argument : undefined;
    const recorded = entries?.get(key);
    if (recorded === undefined) return;
    // What was attached twice with the same argument is taken back one by one.
    if (this.#pair.each) recorded.pop()?.drop();
    else for (const entry of recorded.splice(0)) entry.drop();
    if (recorded.length === 0) entries?.delete(key);
  }
}

/** Channels change their class with their first subscriber; all subscriptions end in this one, which is not exported. */
function activeChannelClass(): object {
  const channel = diagnostics.channel(Symbol("unreloader"));
  const subscriber = () => {};
  channel.subscribe(subscriber);
  const prototype: object = Object.getPrototypeOf(channel);
  channel.unsubscribe(subscriber);
  return prototype;
}
