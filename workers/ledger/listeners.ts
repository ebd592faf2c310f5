/**
 * Listeners that modules add to what outlives them: process, library singletons, emitters of kept modules. Removed at
 * purge. An emitter that the module itself has made goes with it, with its listeners: without its `error` listener it
 * could end the process.
 */
import { EventEmitter } from "node:events";
import { Server } from "node:net";
import type { ModuleEdges, Observer } from "../runtime/observer.js";
import { callerOf } from "./caller.js";
import type { Creators } from "./creators.js";
import type { Registrations } from "./registrations.js";
import { type AnyFunction, replaceMethod, replaceValue } from "./replace.js";

export interface ListenersOptions {
  readonly observer: Observer;
  readonly creators: Creators;
  readonly registrations: Registrations;
}

type Event = string | symbol;
type Listener = (...args: unknown[]) => void;

/** Returns the way back. */
export function installListeners(options: ListenersOptions): () => void {
  const prototype = EventEmitter.prototype;
  const notes = new ListenerNotes(options);
  const wrap = (original: AnyFunction): AnyFunction =>
    function addListener(this: unknown, event: unknown, listener: unknown): unknown {
      const result = original.call(this, event, listener);
      // `once` comes here too, with a listener that wraps the given one.
      if (options.observer.active)
        notes.added(this as EventEmitter, event as Event, listener as Listener, addListener as AnyFunction);
      return result;
    };
  const restores = [
    replaceMethod(prototype, "addListener", wrap),
    replaceValue(prototype, "on", prototype.addListener),
    replaceMethod(prototype, "prependListener", wrap),
    replaceMethod(prototype, "removeListener", (original) => wrapRemove(original, options)),
    replaceValue(prototype, "off", prototype.removeListener),
    replaceMethod(prototype, "removeAllListeners", (original) => wrapRemove(original, options)),
  ];
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

/**
 * Listeners that a module takes away from what outlives it come back at its purge: socket.io puts a listener of its own
 * in the place of a server's.
 */
function wrapRemove(original: AnyFunction, { observer, creators, registrations }: ListenersOptions): AnyFunction {
  return function remove(this: unknown, ...args: unknown[]): unknown {
    const owner = observer.active ? observer.owner : undefined;
    if (owner === undefined) return Reflect.apply(original, this, args);
    const emitter = this as EventEmitter;
    const { kind, through } = callerOf(remove as AnyFunction);
    const isTheModules = through.length === 0 && (kind === "own" || kind === "package");
    if (!isTheModules || creators.creatorOf(emitter) === owner) return Reflect.apply(original, this, args);
    const events = args.length > 0 ? [args[0] as Event] : emitter.eventNames();
    const before = new Map(events.map((event) => [event, emitter.rawListeners(event) as Listener[]]));
    const result = Reflect.apply(original, this, args);
    for (const [event, listeners] of before) {
      const left = new Set(emitter.rawListeners(event));
      const removed = listeners.filter((listener) => !left.has(listener));
      registrations.removed({ owner, emitter, event, listeners: removed });
    }
    return result;
  };
}

class ListenerNotes {
  readonly #options: ListenersOptions;
  /** Emitters that have lost their last `error` listener in a purge -> what listens in its place until there is another. */
  readonly #guards = new WeakMap<EventEmitter, Listener>();

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  added(emitter: EventEmitter, event: Event, listener: Listener, wrapper: AnyFunction): void {
    const { observer, creators, registrations } = this.#options;
    const { owner } = observer;
    if (owner === undefined) return;
    if (event === "error") this.#unguard(emitter);
    const creator = creators.creatorOf(emitter);
    if (creator === owner || !this.#countsAsTheModules(emitter, creator, wrapper)) return;
    registrations.add({
      owner,
      target: emitter,
      listener,
      key: event,
      what: `listener of "${String(event)}"`,
      remove: (from: EventEmitter, what) => {
        from.removeListener(event, what);
        if (event === "error") this.#guard(from);
      },
    });
  }

  /** What a package attaches to an object of its own, even when a module calls it, is the package's business. */
  #countsAsTheModules(emitter: EventEmitter, creator: ModuleEdges | undefined, wrapper: AnyFunction): boolean {
    const { kind } = callerOf(wrapper);
    if (kind !== "package") return kind === "own";
    return creator !== undefined || emitter instanceof Server || isOfTheProcess(emitter);
  }

  /** Between the purge of a listener and its successor an error must not end the process. */
  #guard(emitter: EventEmitter): void {
    if (emitter === process || emitter.listenerCount("error") > 0) return;
    const guard = () => {};
    this.#guards.set(emitter, guard);
    emitter.on("error", guard);
  }

  #unguard(emitter: EventEmitter): void {
    const guard = this.#guards.get(emitter);
    if (!guard) return;
    this.#guards.delete(emitter);
    emitter.removeListener("error", guard);
  }
}

function isOfTheProcess(emitter: EventEmitter): boolean {
  // stdin is asked for only when the app has done so: reading the property opens it.
  return emitter === process || emitter === process.stdout || emitter === process.stderr;
}
