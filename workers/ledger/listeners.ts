/**
 * Listeners that modules add to what outlives them: process, library singletons, emitters of kept modules. Removed at
 * purge. An emitter that the module itself has made goes with it, with its listeners: without its `error` listener it
 * could end the process.
 */
import { EventEmitter } from "node:events";
import { Server } from "node:net";
import { inherits, isArray, isObject, isProxy, ownValue } from "../../src/common/untouched.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import { callerOf } from "./caller.js";
import type { Creators } from "./creators.js";
import type { Place, RegistrationPlaces } from "./registration-places.js";
import type { Registrations } from "./registrations.js";
import { type AnyFunction, replaceMethod, replaceValue } from "./replace.js";

export interface ListenersOptions {
  readonly observer: Observer;
  readonly creators: Creators;
  readonly registrations: Registrations;
  readonly places: RegistrationPlaces;
  /** The process, or one of its streams. */
  isOfTheProcess(emitter: EventEmitter): boolean;
}

const { eventNames, rawListeners } = EventEmitter.prototype;

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
      if (options.observer.active && isEvent(event))
        notes.added(this as EventEmitter, event, listener as Listener, addListener as AnyFunction);
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
    // To ask it would run its traps.
    if (isProxy(emitter)) return Reflect.apply(original, this, args);
    const { kind, through } = callerOf(remove as AnyFunction);
    const isTheModules = through.length === 0 && (kind === "own" || kind === "package");
    if (!isTheModules || creators.creatorOf(emitter) === owner) return Reflect.apply(original, this, args);
    const events = args.length > 0 ? [args[0]].filter(isEvent) : namesOf(emitter);
    const before = new Map(events.map((event) => [event, listenersOf(emitter, event)]));
    const result = Reflect.apply(original, this, args);
    for (const [event, listeners] of before) {
      const left = new Set(listenersOf(emitter, event));
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
    const { observer, creators, registrations, places } = this.#options;
    const { owner } = observer;
    if (owner === undefined) return;
    const { file } = owner;
    if (event === "error") this.#unguard(emitter);
    const creator = creators.creatorOf(emitter);
    if (creator === owner || !this.#countsAsTheModules(emitter, creator, wrapper)) return;
    const place = places.take(file, emitter, event);
    if (place) moveInFrontOf(emitter, event, listener, place);
    registrations.add({
      owner,
      target: emitter,
      listener,
      key: event,
      what: `listener of "${String(event)}"`,
      remove: (from: EventEmitter, what) => {
        const listeners = isProxy(from) ? [] : listenersOf(from, event);
        places.left(file, from, what, listeners.slice(listeners.lastIndexOf(what) + 1), event);
        from.removeListener(event, what);
        if (event === "error") this.#guard(from);
      },
    });
  }

  /** What a package attaches to an object of its own, even when a module calls it, is the package's business. */
  #countsAsTheModules(emitter: EventEmitter, creator: ModuleEdges | undefined, wrapper: AnyFunction): boolean {
    const { kind } = callerOf(wrapper);
    if (kind !== "package") return kind === "own";
    return creator !== undefined || inherits(emitter, Server.prototype) || this.#options.isOfTheProcess(emitter);
  }

  /** Between the purge of a listener and its successor an error must not end the process. */
  #guard(emitter: EventEmitter): void {
    if (emitter === process || isProxy(emitter) || listenersOf(emitter, "error").length > 0) return;
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

/** Moves a listener in front of the first of `behind` that is still there. */
function moveInFrontOf(emitter: EventEmitter, event: Event, listener: Listener, behind: Place): void {
  const events: unknown = ownValue(emitter, "_events");
  const list: unknown = isObject(events) ? ownValue(events, event) : undefined;
  if (!isArray(list)) return;
  const next = behind.find((each) => list.includes(each));
  const [from, to] = [list.lastIndexOf(listener), list.indexOf(next)];
  if (next === undefined || to > from) return;
  const listeners = list as unknown[];
  for (let at = from; at > to; at--) listeners[at] = listeners[at - 1];
  listeners[to] = listener;
}

/** An object in its place is made a name by its own `toString`. */
function isEvent(event: unknown): event is Event {
  return typeof event === "string" || typeof event === "symbol";
}

function namesOf(emitter: EventEmitter): Event[] {
  return Reflect.apply(eventNames, emitter, []) as Event[];
}

/** Those of Node's own list, whatever the class of the emitter answers. */
function listenersOf(emitter: EventEmitter, event: Event): Listener[] {
  return Reflect.apply(rawListeners, emitter, [event]) as Listener[];
}
