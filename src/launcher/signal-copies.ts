/**
 * A terminal sends a signal to all processes that run in it: to this one directly, and to its launcher, which passes it on.
 * So do those who end a whole group of processes. One of each kind within a second is one signal. Pure.
 */

type Way = "direct" | "relayed";

const COPY_MS = 1000;

interface Arrival {
  readonly way: Way;
  readonly at: number;
}

export class SignalCopies {
  /** Signal -> what has come and has no copy yet, oldest first. */
  readonly #single = new Map<string, Arrival[]>();

  /** Whether what comes at `now` (milliseconds) is the copy of what has come the other way. */
  isCopy(signal: string, way: Way, now: number): boolean {
    const single = (this.#single.get(signal) ?? []).filter(({ at }) => now - at < COPY_MS);
    this.#single.set(signal, single);
    const at = single.findIndex((arrival) => arrival.way !== way);
    if (at < 0) single.push({ way, at: now });
    else single.splice(at, 1);
    return at >= 0;
  }
}
