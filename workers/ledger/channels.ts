/** Broadcast channels and message channels that modules open: closed at purge. */
import threads from "node:worker_threads";
import { callerOf } from "./caller.js";
import type { Ledger, LedgerEntry } from "./ledger.js";
import { type AnyFunction, replaceValue } from "./replace.js";

interface Closable {
  close(): void;
}

type Constructor = abstract new (...args: never[]) => object;

export interface ChannelsOptions {
  readonly ledger: Ledger;
}

/** Returns the way back. */
export function installChannels(options: ChannelsOptions): () => void {
  // They keep the port alive while it is open; a closed one may go.
  const collected = new FinalizationRegistry<LedgerEntry>((entry) => entry.drop());
  const wrap = <Class extends Constructor>(original: Class, what: string, closable: (made: object) => object): Class =>
    new Proxy(original, {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as object;
        if (options.ledger.owner === undefined || !isTheModules(this.construct as AnyFunction)) return made;
        const port = new WeakRef(closable(made) as Closable);
        const entry = options.ledger.record(what, () => port.deref()?.close(), undefined, made);
        if (entry) collected.register(closable(made), entry);
        return made;
      },
    });
  const broadcast = wrap(threads.BroadcastChannel, "broadcast channel", (made) => made);
  const message = wrap(threads.MessageChannel, "message channel", (made) => Reflect.get(made, "port1"));
  const restores = [
    replaceValue(threads, "BroadcastChannel", broadcast),
    replaceValue(threads, "MessageChannel", message),
    replaceValue(globalThis, "BroadcastChannel", broadcast),
    replaceValue(globalThis, "MessageChannel", message),
    replaceValue(threads.BroadcastChannel.prototype, "constructor", broadcast),
    replaceValue(threads.MessageChannel.prototype, "constructor", message),
  ];
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

function isTheModules(wrapper: AnyFunction): boolean {
  const { kind } = callerOf(wrapper);
  return kind === "own" || kind === "package";
}
