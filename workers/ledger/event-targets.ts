/** Listeners that modules add to event targets: abort signals, ports, performance. Removed at purge. */

import { findDescriptor, isObject } from "../../src/common/untouched.js";
import type { Observer } from "../runtime/observer.js";
import { callerOf } from "./caller.js";
import type { Registrations } from "./registrations.js";
import { type AnyFunction, replaceMethod } from "./replace.js";

export interface EventTargetsOptions {
  readonly observer: Observer;
  readonly registrations: Registrations;
}

/** Returns the way back. */
export function installEventTargets({ observer, registrations }: EventTargetsOptions): () => void {
  return replaceMethod(EventTarget.prototype, "addEventListener", (original) => {
    const wrapped: AnyFunction = function addEventListener(this: unknown, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      const owner = observer.active ? observer.owner : undefined;
      const [type, listener, options] = args;
      // A type that is an object is made a name by its own `toString`, options may have a getter: neither is asked again.
      if (owner === undefined || !isListener(listener) || isObject(type)) return result;
      const given = isObject(options) ? findDescriptor(options, "capture") : { value: options };
      if (given && !("value" in given)) return result;
      const { kind } = callerOf(wrapped);
      if (kind !== "own" && kind !== "package") return result;
      const capture = Boolean(given?.value);
      registrations.add({
        owner,
        target: this as EventTarget,
        listener,
        key: `${capture} ${String(type)}`,
        what: `listener of "${String(type)}"`,
        remove: (target: EventTarget, what) => target.removeEventListener(String(type), what, { capture }),
      });
      return result;
    };
    return wrapped;
  });
}

function isListener(listener: unknown): listener is Parameters<EventTarget["removeEventListener"]>[1] & object {
  return typeof listener === "function" || (typeof listener === "object" && listener !== null);
}
