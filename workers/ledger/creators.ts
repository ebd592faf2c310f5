/** Which module version has created an emitter: class instances, streams, sockets, child processes, all of them. */
import { EventEmitter } from "node:events";
import type { ModuleEdges } from "../runtime/module-edges.js";
import type { Observer } from "../runtime/observer.js";
import { type AnyFunction, replaceMethod } from "./replace.js";

export interface Creation {
  readonly emitter: EventEmitter;
  readonly owner: ModuleEdges;
  /** The function on the stack above which the caller is found. */
  readonly wrapper: AnyFunction;
}

export class Creators {
  readonly #observer: Observer;
  /** Emitter -> version, for as long as the emitter lives; those of requests and of packages' own are not in it. */
  readonly #creators = new WeakMap<object, ModuleEdges>();
  readonly #onCreated: (creation: Creation) => void;

  constructor(observer: Observer, onCreated: (creation: Creation) => void) {
    this.#observer = observer;
    this.#onCreated = onCreated;
  }

  /** Every constructor of an emitter calls `EventEmitter.init`, first of all. Returns the way back. */
  install(): () => void {
    return replaceMethod(EventEmitter, "init", (original) => {
      const creators = this;
      return function init(this: unknown, options: unknown): unknown {
        const result = original.call(this, options);
        if (creators.#observer.active) creators.#created(this as EventEmitter, init as AnyFunction);
        return result;
      };
    });
  }

  creatorOf(emitter: object): ModuleEdges | undefined {
    return this.#creators.get(emitter);
  }

  #created(emitter: EventEmitter, wrapper: AnyFunction): void {
    const { owner } = this.#observer;
    if (owner === undefined) return;
    this.#creators.set(emitter, owner);
    this.#onCreated({ emitter, owner, wrapper });
  }
}
