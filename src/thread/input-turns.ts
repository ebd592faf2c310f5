/**
 * Who reads standard input: one at a time of main's single keys and the app's threads. Bytes that two read at once would be
 * split between them, and the terminal has one mode. The newest thread that wants it gets it, the one before gives back what
 * nobody has taken; keys are read while no thread wants it.
 */
import { INPUT_TURN_MS, KEYS_BACK_MS } from "../common/deadlines.js";
import type { StreamWords } from "../common/protocol/stream-words.js";

/** A thread of the app. */
export interface InputReader {
  /** Of its epoch: the higher is the newer. */
  readonly number: number;
  giveInput(unread: Uint8Array): void;
  leaveInput(): void;
}

/** Main's single keys. */
export interface Keys {
  /** Reads them from here on, in raw mode. */
  read(): void;
  /** Reads them no more; the terminal is as it was before. */
  leave(): void;
}

const NOTHING = new Uint8Array();

export class InputTurns {
  readonly #words: StreamWords;
  /** The app has asked for it, once at least. */
  #wasWanted = false;
  #keys: Keys | undefined;
  #reader: InputReader | undefined;
  /** It has been asked to leave: after a while it is not waited for, since one that is blocked does not read either. */
  #leaving: NodeJS.Timeout | undefined;
  /** Those that want it and do not have it. */
  readonly #waiting = new Set<InputReader>();
  /** What was read and nobody has taken, of readers that have gone. */
  #unread: Uint8Array[] = [];
  /** Keys are to be read again. */
  #keysBack: NodeJS.Timeout | undefined;

  constructor(words: StreamWords) {
    this.#words = words;
  }

  /** Keys are read from here on, while the app does not read. */
  useKeys(keys: Keys): void {
    this.#keys = keys;
    if (!this.#reader) keys.read();
  }

  /** Whether the app reads standard input, or has read it. */
  get wasWanted(): boolean {
    return this.#wasWanted;
  }

  wanted(reader: InputReader): void {
    this.#wasWanted = true;
    if (this.#reader === undefined || this.#reader === reader) {
      this.#give(reader);
      return;
    }
    this.#waiting.add(reader);
    if (reader.number > this.#reader.number && this.#leaving === undefined) {
      this.#reader.leaveInput();
      this.#leaving = setTimeout(() => this.#next(), INPUT_TURN_MS).unref();
    }
  }

  left(reader: InputReader, unread: Uint8Array, isFinal: boolean): void {
    if (isFinal) this.#waiting.delete(reader);
    if (unread.length > 0) this.#unread.push(unread);
    if (this.#reader === reader) this.#next();
    // It was not waited for: what it had goes to the one that reads now.
    else if (this.#reader && this.#unread.length > 0) this.#reader.giveInput(this.#takeUnread());
  }

  /** It does not read for now. */
  rests(reader: InputReader): void {
    if (this.#reader === reader) this.#next();
  }

  ended(reader: InputReader): void {
    this.left(reader, NOTHING, true);
  }

  /** The end: keys are read no more. A thread that reads may go on with it. */
  close(): void {
    clearTimeout(this.#leaving);
    clearTimeout(this.#keysBack);
    if (!this.#reader) this.#keys?.leave();
    this.#keys = undefined;
  }

  #next(): void {
    clearTimeout(this.#leaving);
    this.#leaving = undefined;
    this.#reader = undefined;
    this.#words.reader = 0;
    const [newest] = [...this.#waiting].sort((one, other) => other.number - one.number);
    if (newest) this.#give(newest);
    else if (this.#keys) this.#keysBack = setTimeout(() => this.#keys?.read(), KEYS_BACK_MS).unref();
  }

  #give(reader: InputReader): void {
    clearTimeout(this.#keysBack);
    this.#waiting.delete(reader);
    this.#keys?.leave();
    this.#reader = reader;
    this.#words.reader = reader.number;
    reader.giveInput(this.#takeUnread());
  }

  #takeUnread(): Uint8Array {
    const unread = Buffer.concat(this.#unread);
    this.#unread = [];
    return unread;
  }
}
