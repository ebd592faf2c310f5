/** Listeners that modules add to event targets: abort signals, ports, performance. Removed at purge. */
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
      if (owner === undefined || !isListener(listener)) return result;
      const { kind } = callerOf(wrapped);
      if (kind !== "own" && kind !== "package") return result;
      const capture =
        typeof options === "object" && options !== null ? "capture" in options && !!options.capture : !!options;
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
