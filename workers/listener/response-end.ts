/**
 * Tells when an app ends a response, before its last bytes are written. Written in this order: counters first, bytes
 * second. The other way round the main thread often ran first on a busy machine (11 of 20 times, two cores, Node 20), and
 * took the client's next request for a continuation of the one before.
 */
import { ServerResponse } from "node:http";

interface Ending {
  end(...args: unknown[]): ServerResponse;
  _finish(): void;
}

/** Calls `onEnd` inside each `response.end()`, and `onFinish` when the last bytes of a response were handed to its socket. */
export function watchResponseEnd(
  onEnd: (response: ServerResponse) => void,
  onFinish: (response: ServerResponse) => void,
): void {
  const prototype = ServerResponse.prototype as unknown as Ending;
  const { end, _finish } = prototype;
  prototype.end = function (this: ServerResponse, ...args) {
    onEnd(this);
    return end.apply(this, args);
  };
  prototype._finish = function (this: ServerResponse) {
    _finish.call(this);
    onFinish(this);
  };
}
