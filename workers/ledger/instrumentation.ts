/** What modules attach to Node's instruments: diagnostics channels, async hooks, performance observers. */
import { createHook } from "node:async_hooks";
import diagnostics from "node:diagnostics_channel";
import { PerformanceObserver } from "node:perf_hooks";
import { callerOf } from "./caller.js";
import type { Ledger } from "./ledger.js";
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
}

/** Returns the way back. */
export function installInstrumentation({ ledger }: InstrumentationOptions): () => void {
  const channel = activeChannelClass();
  const pairs: Pair[] = [
    { target: channel, attach: "subscribe", detach: "unsubscribe", what: "subscription" },
    { target: channel, attach: "bindStore", detach: "unbindStore", what: "bound store" },
    { target: Object.getPrototypeOf(createHook({})), attach: "enable", detach: "disable", what: "async hook" },
    { target: PerformanceObserver.prototype, attach: "observe", detach: "disconnect", what: "performance observer" },
  ];
  const restores = pairs.map((pair) =>
    replaceMethod(pair.target, pair.attach, (original) => wrap(original, pair, ledger)),
  );
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

function wrap(original: AnyFunction, { detach, what }: Pair, ledger: Ledger): AnyFunction {
  return function attach(this: unknown, ...args: unknown[]): unknown {
    const result = Reflect.apply(original, this, args);
    const { owner } = ledger;
    if (owner === undefined) return result;
    const { kind } = callerOf(attach as AnyFunction);
    if (kind !== "own" && kind !== "package") return result;
    const target = this as Record<string, AnyFunction>;
    const [first] = args;
    ledger.record(what, () => {
      // A channel without subscribers has another class; its method of that name does nothing.
      target[detach]?.(first);
    });
    return result;
  };
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
