/**
 * What the app's thread tells main without sending anything, so that main knows it of a thread that is blocked or has
 * died, too: a small memory that both threads share, one for each epoch. It has the thread's heartbeat, and the last
 * bytes that the app has written to stdout and stderr.
 */

import { stripVTControlCharacters } from "node:util";
import { countDuring } from "../nesting.js";
import { lookUntil } from "../wait.js";

/** Header words. BEATS: rises while the thread's event loop turns; 0 until it has its runtime. */
const BEATS = 0;
/** Above 0 while the thread does work of the supervisor's own that takes long: not the app's fault. */
const EXCUSED = 1;
/** Where in the ring the next byte goes. */
const NEXT = 2;
/** How many bytes of the ring are written; never more than RING_BYTES. */
const FILLED = 3;
/** The thread's id among those of the process. */
const THREAD_ID = 4;
/** Above 0 while Node links modules in the thread, in the middle of which the thread must not be ended. */
const LINKING = 5;
/** 1 when main is about to end the thread by force. */
const ENDING = 6;
/** How many HTTP/2 sessions the app's servers have open. */
const SESSIONS = 7;
/** 1 while the thread has stdin. */
const READS_INPUT = 8;
/** Writes to a pipe that are under way; index: UNDER_WAY + descriptor. */
const UNDER_WAY = 8;
/** How many reports of the signals that the app listens for main has acted on. */
const SIGNALS = 11;
/** 1 while main looks, through the inspector, at what the thread runs. */
const LOOKED_AT = 12;
/** How many bytes the app has written in all, modulo 2^32. */
const WRITTEN = 13;
const HEADER_BYTES = 64;
const RING_BYTES = 8192;

const LINKING_POLL_MS = 2;

/** How often the thread beats, in milliseconds. */
export const BEAT_MS = 250;

/** Name of the symbol under which the thread's `process` has what ends its HTTP/2 sessions, and its reading of stdin. */
export const END_SESSIONS = "unreloader.endSessions";

export class ThreadBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #ring: Uint8Array;

  /** Without `buffer`: a new one. */
  constructor(buffer = new SharedArrayBuffer(HEADER_BYTES + RING_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#ring = new Uint8Array(buffer, HEADER_BYTES);
  }

  // ---- the thread

  /** The thread has its runtime. `threadId`: as `node:worker_threads` has it. */
  start(threadId: number): void {
    Atomics.store(this.#words, THREAD_ID, threadId);
    this.beat();
  }

  beat(): void {
    Atomics.add(this.#words, BEATS, 1);
  }

  set sessions(open: number) {
    Atomics.store(this.#words, SESSIONS, open);
  }

  set readsInput(does: boolean) {
    Atomics.store(this.#words, READS_INPUT, does ? 1 : 0);
  }

  /** A write to a pipe begins (1), or is over (-1). */
  underWay(descriptor: 1 | 2, change: 1 | -1): void {
    Atomics.add(this.#words, UNDER_WAY + descriptor, change);
  }

  /** Runs work of the supervisor's own that blocks the thread for long. */
  excuse<Result>(run: () => Result): Result {
    return countDuring(this.#words, EXCUSED, run);
  }

  /**
   * Runs what has Node link modules. Node 20 aborts the whole process when a thread is ended in the middle of that
   * (`v8::Module::IsGraphAsync must be used on an instantiated module`): a thread that is about to be ended stops here.
   */
  link<Result>(run: () => Result): Result {
    return countDuring(this.#words, LINKING, () => {
      // Main looks at LINKING only after it has written ENDING: one of the two sees the other.
      if (this.isEnding) {
        Atomics.sub(this.#words, LINKING, 1);
        Atomics.wait(this.#words, ENDING, 1);
        Atomics.add(this.#words, LINKING, 1);
      }
      return run();
    });
  }

  /** The app writes: the last bytes are kept. Main may read in the middle of it, and then sees a mixture. */
  write(bytes: Uint8Array): void {
    const kept = bytes.subarray(Math.max(0, bytes.length - RING_BYTES));
    const next = Atomics.load(this.#words, NEXT);
    const first = kept.subarray(0, RING_BYTES - next);
    this.#ring.set(first, next);
    this.#ring.set(kept.subarray(first.length), 0);
    Atomics.add(this.#words, WRITTEN, bytes.length);
    Atomics.store(this.#words, NEXT, (next + kept.length) % RING_BYTES);
    Atomics.store(this.#words, FILLED, Math.min(RING_BYTES, Atomics.load(this.#words, FILLED) + kept.length));
  }

  /** Sleeps until main has acted on so many reports of signals, for `deadlineMs` at most. */
  awaitSignals(reports: number, deadlineMs: number): void {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const known = Atomics.load(this.#words, SIGNALS);
      const left = end - performance.now();
      if (known >= reports || left <= 0) return;
      Atomics.wait(this.#words, SIGNALS, known, left);
    }
  }

  // ---- main

  /** Main has acted on a report of signals. */
  signalsKnown(): void {
    Atomics.add(this.#words, SIGNALS, 1);
    Atomics.notify(this.#words, SIGNALS);
  }

  /**
   * The thread is about to be ended by force: resolves when it can be. One that stays in the middle of linking for
   * `deadlineMs` runs a package's own code there, which may be stopped.
   */
  async readyToEnd(deadlineMs: number): Promise<void> {
    Atomics.store(this.#words, ENDING, 1);
    const end = performance.now() + deadlineMs;
    await lookUntil(() => Atomics.load(this.#words, LINKING) <= 0, LINKING_POLL_MS, end);
  }

  /** The thread is being ended by force, or is about to be. */
  get isEnding(): boolean {
    return Atomics.load(this.#words, ENDING) === 1;
  }

  set isLookedAt(is: boolean) {
    Atomics.store(this.#words, LOOKED_AT, is ? 1 : 0);
  }

  get isLookedAt(): boolean {
    return Atomics.load(this.#words, LOOKED_AT) === 1;
  }

  /** The thread has been ended, and another one gets the board. */
  reuse(): void {
    Atomics.store(this.#words, LINKING, 0);
    Atomics.store(this.#words, EXCUSED, 0);
    Atomics.store(this.#words, ENDING, 0);
    Atomics.store(this.#words, SESSIONS, 0);
    this.readsInput = false;
    this.isLookedAt = false;
    for (const descriptor of [1, 2]) Atomics.store(this.#words, UNDER_WAY + descriptor, 0);
    Atomics.store(this.#words, SIGNALS, 0);
  }

  // ---- either

  /** How often the thread has beaten; 0 while it loads its runtime. */
  get beats(): number {
    return Atomics.load(this.#words, BEATS);
  }

  /** 0 until the thread has its runtime. */
  get threadId(): number {
    return Atomics.load(this.#words, THREAD_ID);
  }

  /** How many HTTP/2 sessions of the app's servers are open. */
  get sessions(): number {
    return Atomics.load(this.#words, SESSIONS);
  }

  /** Whether the thread has stdin, or has not given it back. */
  get readsInput(): boolean {
    return Atomics.load(this.#words, READS_INPUT) === 1;
  }

  /** Whether a part of what the app has written may be out, and the rest not. */
  isWriting(descriptor: 1 | 2): boolean {
    return Atomics.load(this.#words, UNDER_WAY + descriptor) > 0;
  }

  get excused(): boolean {
    return Atomics.load(this.#words, EXCUSED) > 0;
  }

  /** How many bytes the app has written in all, modulo 2^32. */
  get written(): number {
    return Atomics.load(this.#words, WRITTEN) >>> 0;
  }

  /** The last of the bytes that the app has written, at most `most`, and as many as are kept. */
  lastBytes(most: number): Buffer {
    const next = Atomics.load(this.#words, NEXT);
    const count = Math.min(most, Atomics.load(this.#words, FILLED));
    const start = (next - count + RING_BYTES) % RING_BYTES;
    const bytes = Buffer.alloc(count);
    const first = this.#ring.subarray(start, start + count);
    bytes.set(first, 0);
    bytes.set(this.#ring.subarray(0, count - first.length), first.length);
    return bytes;
  }

  /** The last lines that the app has written, at most `most`, oldest first, without colours and empty lines at the end. */
  lastLines(most: number): string[] {
    const bytes = this.lastBytes(RING_BYTES);
    const lines = stripVTControlCharacters(bytes.toString("utf8")).trimEnd().split(/\r?\n/);
    // What was before the ring's first byte is not known: that line has lost its beginning.
    if (bytes.length === RING_BYTES && lines.length > 1) lines.shift();
    return lines.length === 1 && lines[0] === "" ? [] : lines.slice(-most);
  }
}
