/** Calls the host's listeners: what is theirs is never run inside our own try, and never decides what becomes of us. */
import type { EventEmitter } from "node:events";

/**
 * As `emit()`, but each listener is called although one before has thrown; what one throws, or rejects with, goes to
 * `failed` with the place that it comes from.
 */
export function callListeners(
  emitter: Pick<EventEmitter, "rawListeners">,
  event: string,
  report: unknown,
  failed: (message: string) => void,
): void {
  const tell = (error: unknown): void => failed(`a listener for "${event}" has thrown: ${shownError(error)}`);
  for (const listener of emitter.rawListeners(event)) {
    try {
      const result: unknown = Reflect.apply(listener, emitter, [report]);
      if (result instanceof Promise) result.catch(tell);
    } catch (error) {
      tell(error);
    }
  }
}

/** With the place where it was thrown. */
function shownError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return place === undefined ? error.message : `${error.message} (${place.trim()})`;
}
