/** Looks at the heartbeat of a thread that somebody waits for, and says when it has stopped. */
import { BLOCKED_MS, PULSE_MS } from "../common/deadlines.js";
import type { ThreadBoard } from "../common/protocol/thread-board.js";

export interface PulseWatch {
  /** Milliseconds that the thread has not beaten. */
  silentMs(): number;
  /** Ends the watch. */
  stop(): void;
}

/**
 * Calls `stopped` once, when the thread has not beaten for BLOCKED_MS; a look that comes late itself says nothing about
 * the thread, since this machine or this process was busy. `alreadyMs`: how long it has been silent until now.
 */
export function watchPulse(board: ThreadBoard, stopped: () => void, alreadyMs = 0): PulseWatch {
  let beats = board.beats;
  let silentMs = alreadyMs;
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const sinceMs = now - lookedAt;
    lookedAt = now;
    const before = beats;
    beats = board.beats;
    // Before its first beat the thread loads its runtime.
    if (beats !== before || beats === 0 || board.excused || sinceMs > 3 * PULSE_MS) silentMs = 0;
    else silentMs += sinceMs;
    if (silentMs < BLOCKED_MS - PULSE_MS) return;
    clearInterval(timer);
    stopped();
  }, PULSE_MS);
  return { silentMs: () => silentMs, stop: () => clearInterval(timer) };
}
