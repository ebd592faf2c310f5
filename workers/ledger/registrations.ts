/** Listeners that modules have added, held weakly: the ledger keeps neither them nor what they listen to alive. */
import { EventEmitter } from "node:events";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Ledger, LedgerEntry } from "./ledger.js";

const { rawListeners } = EventEmitter.prototype;

interface Registration {
  readonly owner: ModuleEdges;
  readonly target: WeakRef<object>;
  /** Event and options: what has to be the same for two registrations to be the same. */
  readonly key: unknown;
  times: number;
}

export interface AddedListener<Target extends object, Listener extends object> {
  readonly owner: ModuleEdges;
  readonly target: Target;
  readonly listener: Listener;
  readonly key: unknown;
  readonly what: string;
  remove(target: Target, listener: Listener): void;
}

export interface RemovedListeners {
  readonly owner: ModuleEdges;
  readonly emitter: EventEmitter;
  readonly event: string | symbol;
  readonly listeners: readonly ((...args: unknown[]) => void)[];
}

export class Registrations {
  readonly #ledger: Ledger;
  /** Listener -> where it was added; dies with the listener. */
  readonly #added = new WeakMap<object, Registration[]>();
  /** Drops the entries of listeners that nobody has any more. */
  readonly #collected = new FinalizationRegistry<LedgerEntry>((entry) => entry.drop());

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  add<Target extends object, Listener extends object>(added: AddedListener<Target, Listener>): void {
    const { owner, target, listener, what } = added;
    this.#ledger.shares(owner, "registers", target, what);
    const known = this.#added.get(listener) ?? [];
    const same = known.find((registration) => isOf(registration, added));
    if (same) {
      same.times++;
      if (!owner.purged) return;
    }
    const registration: Registration = { owner, target: new WeakRef(target), key: added.key, times: 1 };
    const entry = this.#ledger.record(what, removal(registration, added), owner);
    if (!entry || owner.purged) return;
    this.#added.set(listener, [...known, registration]);
    this.#collected.register(listener, entry);
  }

  /** Puts listeners back at the purge of the module that has removed them; not its own, nor those of purged modules. */
  removed({ owner, emitter, event, listeners }: RemovedListeners): void {
    const others = listeners.filter(
      (listener) => !this.#added.get(listener)?.some((registration) => registration.owner === owner),
    );
    if (others.length === 0 || owner.purged) return;
    const target = new WeakRef(emitter);
    this.#ledger.record(`removal of listeners of "${String(event)}"`, () => {
      for (const listener of others) {
        const isPurged = this.#added.get(listener)?.some((registration) => registration.owner.purged) ?? false;
        const emitter = target.deref();
        if (!emitter || isPurged) continue;
        const present = Reflect.apply(rawListeners, emitter, [event]) as unknown[];
        if (!present.includes(listener)) emitter.on(event, listener);
      }
    });
  }
}

function isOf(registration: Registration, { owner, target, key }: AddedListener<object, object>): boolean {
  return registration.owner === owner && registration.target.deref() === target && registration.key === key;
}

/** In a function of its own: closures of one function keep alive whatever any of them uses. */
function removal<Target extends object, Listener extends object>(
  registration: Registration,
  { target, listener, remove }: AddedListener<Target, Listener>,
): () => void {
  const [targetRef, listenerRef] = [new WeakRef(target), new WeakRef(listener)];
  return () => {
    const [from, what] = [targetRef.deref(), listenerRef.deref()];
    if (from && what) for (; registration.times > 0; registration.times--) remove(from, what);
  };
}
