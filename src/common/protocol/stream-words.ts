/**
 * The words about the standard streams that the main thread shares with all threads of the app: what must be known at once
 * by who is about to write or to read, since all have the same descriptors.
 */

/** Written by main: number of the epoch whose thread reads standard input; 0: none does. */
const READER = 0;
/** 1 when the last byte that an app has written to this descriptor was not the end of a line; index: READER + descriptor. */
const WORDS = 3;

export type OutputDescriptor = 1 | 2;

const LINE_END = 10;

export class StreamWords {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** Without `buffer`: a new one. */
  constructor(buffer = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  // ---- the app's threads

  /** The app writes. */
  written(descriptor: OutputDescriptor, bytes: Uint8Array): void {
    const last = bytes.at(-1);
    if (last !== undefined) Atomics.store(this.#words, READER + descriptor, last === LINE_END ? 0 : 1);
  }

  /** Sleeps until this epoch is the reader, for `timeoutMs` at most. */
  awaitReader(epoch: number, timeoutMs: number): void {
    const end = performance.now() + timeoutMs;
    for (let reader = this.reader; reader !== epoch; reader = this.reader) {
      const left = end - performance.now();
      if (left <= 0) return;
      Atomics.wait(this.#words, READER, reader, left);
    }
  }

  // ---- main

  set reader(epoch: number) {
    Atomics.store(this.#words, READER, epoch);
    Atomics.notify(this.#words, READER);
  }

  /** Whether the app has begun a line and not ended it; from here on it counts as ended. */
  endLine(descriptor: OutputDescriptor): boolean {
    return Atomics.exchange(this.#words, READER + descriptor, 0) === 1;
  }

  // ---- either

  get reader(): number {
    return Atomics.load(this.#words, READER);
  }
}
