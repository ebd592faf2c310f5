/**
 * What ws and socket.io have in common: own code listens for `connection` on a server, and gives each connection listeners of
 * its own. When the module that listens is replaced, the connections get the listeners of its new version, by that event.
 */
import type { EventEmitter } from "node:events";
import type { AdapterContext } from "../../src/common/protocol/adapter.js";

/** A `connection` listener that a module has registered. */
interface Registration<Server> {
  readonly server: Server;
  /** The file. */
  readonly owner: string;
  /** Which of the file's it is. */
  readonly index: number;
}

/** Server with connections of old code, and the one that takes its place; undefined: there is none. */
export interface Succession<Server> {
  readonly from: Server;
  readonly to: Server | undefined;
}

export class ConnectionListeners<Server extends object> {
  readonly #context: AdapterContext;
  readonly #what: string;
  readonly #released: (server: Server) => void;
  /** File -> what its present version has registered. */
  readonly #present = new Map<string, Registration<Server>[]>();
  /** Of versions that were purged since the last reload was applied. */
  #purged: Registration<Server>[] = [];

  /** `what`: for messages; `released`: called when a listener of the server is purged. */
  constructor(context: AdapterContext, what: string, released: (server: Server) => void = () => {}) {
    this.#context = context;
    this.#what = what;
    this.#released = released;
  }

  /** A listener for `connection` is being registered. */
  registered(server: Server): void {
    const { owner } = this.#context;
    if (owner === undefined) return;
    const registrations = this.#present.get(owner) ?? [];
    this.#present.set(owner, registrations);
    const registration = { server, owner, index: registrations.length };
    registrations.push(registration);
    this.#context.record(this.#what, () => {
      this.#purged.push(registration);
      this.#released(server);
      const left = (this.#present.get(owner) ?? []).filter((other) => other !== registration);
      if (left.length > 0) this.#present.set(owner, left);
      else this.#present.delete(owner);
    });
  }

  /** The servers whose listeners the reload that was applied has replaced, each once. */
  takeReplaced(): Succession<Server>[] {
    const successors = new Map<Server, Server | undefined>();
    for (const { server, owner, index } of this.#purged) {
      const now = this.#present.get(owner) ?? [];
      const successor = now.find((registration) => registration.index === index) ?? now[0];
      if (!successors.get(server)) successors.set(server, successor?.server);
    }
    this.#purged = [];
    return [...successors].map(([from, to]) => ({ from, to }));
  }
}

type Listener = (...args: unknown[]) => void;

/** The listeners of an emitter at a moment. */
export class ListenersBefore {
  readonly #before: ReadonlyMap<string | symbol, readonly unknown[]>;

  constructor(emitter: EventEmitter) {
    this.#before = new Map(emitter.eventNames().map((name) => [name, emitter.rawListeners(name)]));
  }

  /** Takes off the listeners that came since. Gives those of `end`, which clean up behind the connection. */
  takeOff(emitter: EventEmitter, end: string): Listener[] {
    const endings: Listener[] = [];
    for (const name of emitter.eventNames()) {
      const kept = new Set(this.#before.get(name));
      for (const listener of emitter.rawListeners(name)) {
        if (kept.has(listener)) continue;
        if (name === end) endings.push(listener as Listener);
        emitter.removeListener(name, listener as Listener);
      }
    }
    return endings;
  }
}

/** Has old code clean up: to it, the connection has ended. What it throws changes nothing for the new code. */
export function endFor(emitter: object, endings: readonly Listener[], args: readonly unknown[]): void {
  for (const ending of endings) {
    try {
      Reflect.apply(ending, emitter, args);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }
}
