/**
 * `process.stdin` of the app's thread as Node makes it in the main thread. Several threads may want to read the one
 * descriptor, and main reads single keys from a terminal: who reads at a time is main's decision (src/thread/app-input.ts).
 * So the stream is Node's own, but reading begins only when this thread has been given the input, and ends when it is asked
 * for it back. What has been read by then and nobody has taken goes with it.
 */
import fs from "node:fs";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import tty from "node:tty";
import { INPUT_TURN_MS } from "../../src/common/deadlines.js";
import type { StreamWords } from "../../src/common/protocol/stream-words.js";
import { kindOfDescriptor } from "./descriptor-kind.js";
import { type Holder, holdWhileRead } from "./terminal-holds.js";
import { takeUnread } from "./unread.js";

const STDIN = 0;

// As they were before anybody has replaced them.
const { read, close } = fs;

export interface InputOptions {
  readonly words: StreamWords;
  /** This thread's. */
  epoch(): number;
  /** Asks main for the input. */
  want(): void;
  /** Has stdin, or has given it back: for who ends a thread that is blocked. */
  reads(does: boolean): void;
  /** Does not read any more, until it is given the input again; `isFinal`: never again. */
  leave(unread: Uint8Array, isFinal: boolean): void;
  /** Has stopped reading from the terminal for now, and has left it as it was. */
  rest(): void;
  /** Notes how to undo what a module does to the stream while it is evaluated. */
  record(what: string, undo: () => void): void;
}

/** What Node has below a terminal's or a pipe's stream. */
interface Source {
  reading: boolean;
  readStart(): number;
  readStop(): number;
  setRawMode?(mode: unknown): number;
}

type InputStream = Readable & {
  fd: number;
  _handle?: Source | null;
  isRaw?: boolean;
  setRawMode?(mode: unknown): unknown;
  readonly _readableState: { reading: boolean; decoder: unknown; encoding: BufferEncoding | null; length: number };
  readonly _writableState: { ended: boolean };
};

type Phase = "apart" | "asked" | "reader" | "final";

export class AppInput implements Holder {
  readonly #options: InputOptions;
  #phase: Phase = "apart";
  readonly #kind = kindOfDescriptor(STDIN);
  #stream: InputStream | undefined;
  /** The stream wants bytes. */
  #wants = false;
  /** Sets the terminal's mode, once that is ours; undefined: it is as it was. */
  #mode: unknown;
  #setMode: ((mode: unknown) => number) | undefined;
  /** Begins a read of a file that has to wait for its turn. */
  #begin: (() => void) | undefined;
  /** Reads of a file that are under way. */
  #underWay = 0;
  /** What reads the terminal without the stream. */
  #holds = 0;
  /** To be left as soon as nothing is under way; `isFinal` of that. */
  #leaving: boolean | undefined;

  constructor(options: InputOptions) {
    this.#options = options;
    if (this.#kind === "terminal") holdWhileRead(this);
  }

  /** Undefined while nobody has asked for it. */
  get opened(): Readable | undefined {
    return this.#stream;
  }

  get stream(): Readable {
    this.#stream ??= this.#open();
    return this.#stream;
  }

  /** Main says that this thread reads now, and what others have left unread. */
  give(unread: Uint8Array): void {
    if (this.#phase === "final") {
      this.#options.leave(unread, true);
      return;
    }
    this.#phase = "reader";
    this.#options.reads(true);
    const stream = this.#stream;
    if (!stream) return;
    if (this.#mode) this.#setMode?.(this.#mode);
    const isFull = unread.length > 0 && !stream.push(Buffer.from(unread));
    const source = stream._handle;
    if (isFull && source) {
      source.reading = false;
      this.#wants = false;
    } else if (source && this.#wants) source.readStart();
    const begin = this.#begin;
    this.#begin = undefined;
    begin?.();
    this.#restSoon();
  }

  /** Stops reading, and leaves what it has read and nobody has taken. `isFinal`: the app is being ended. */
  leave(isFinal: boolean): void {
    if (this.#phase === "final") return;
    const wasReader = this.#phase === "reader";
    this.#leaving = isFinal || this.#leaving === true;
    this.#phase = isFinal ? "final" : "asked";
    const source = this.#stream?._handle;
    if (source && wasReader) {
      Reflect.apply(Object.getPrototypeOf(source).readStop, source, []);
      if (this.#mode) this.#setMode?.(false);
    }
    if (this.#underWay === 0) this.#left();
  }

  /**
   * A module that has read it was purged: when nobody else does, the stream is as it was when the process began, so that
   * what comes meanwhile waits for the new code. Nothing of a kept module is changed: false.
   */
  purged(): boolean {
    const stream = this.#stream;
    const isRead = stream && stream.listenerCount("data") + stream.listenerCount("readable") > 0;
    if (stream && !isRead && !stream.destroyed && stream.readableFlowing !== null) {
      if (stream.readableFlowing) stream.pause();
      (stream as { readableFlowing: boolean | null }).readableFlowing = null;
    }
    return false;
  }

  hold(): void {
    this.#holds++;
    this.#claim();
  }

  release(): void {
    this.#holds--;
    this.#restSoon();
  }

  /** Returns when this thread reads the terminal and nobody else, or does not get to it: for what cannot wait for a turn. */
  #claim(): void {
    const { words, epoch } = this.#options;
    this.#ask();
    if (this.#phase === "asked") words.awaitReader(epoch(), INPUT_TURN_MS);
  }

  #left(): void {
    const isFinal = this.#leaving === true;
    this.#leaving = undefined;
    this.#options.reads(false);
    this.#options.leave(this.#stream ? takeUnread(this.#stream) : new Uint8Array(), isFinal);
    if (!isFinal) this.#phase = this.#wants || this.#begin ? "asked" : "apart";
    if (this.#phase === "asked") this.#options.want();
  }

  /** A terminal that nobody reads belongs to main's keys. */
  #restSoon(): void {
    if (this.#phase !== "reader" || this.#kind !== "terminal") return;
    setImmediate(() => {
      if (this.#phase !== "reader" || this.#wants || this.#mode || this.#holds > 0) return;
      this.#phase = "apart";
      this.#options.reads(false);
      this.#options.rest();
    }).unref();
  }

  #open(): InputStream {
    const stream = this.#openByKind() as InputStream;
    stream.fd = STDIN;
    const source = stream._handle;
    if (source) {
      // Node's own stream begins paused, too.
      source.reading = false;
      stream._readableState.reading = false;
      source.readStop();
      this.#takeTurns(source);
    }
    stream.on("pause", () =>
      process.nextTick(() => {
        if (!stream._handle?.reading || stream.readableFlowing) return;
        stream._readableState.reading = false;
        stream._handle.reading = false;
        stream._handle.readStop();
      }),
    );
    this.#recordSettings(stream);
    this.#askAtResume(stream);
    return stream;
  }

  #openByKind(): Readable {
    switch (this.#kind) {
      case "terminal":
        return new tty.ReadStream(STDIN);
      case "file": {
        const openFile = fs.createReadStream as unknown as (path: null, options: object) => Readable;
        const functions = { read: this.#readFile, close, open: fs.open };
        return openFile(null, { fd: STDIN, autoClose: false, fs: functions });
      }
      case "pipe": {
        const socket = new Socket({ fd: STDIN, readable: true, writable: false, manualStart: true } as never);
        // Nobody can end it.
        (socket as unknown as InputStream)._writableState.ended = true;
        return socket;
      }
      default: {
        const empty = new Readable({ read: () => undefined });
        empty.push(null);
        return empty;
      }
    }
  }

  /** Starting, stopping and the terminal's mode wait for this thread's turn. */
  #takeTurns(source: Source): void {
    const { readStart, readStop, setRawMode } = source;
    const hidden = { configurable: true, writable: true };
    Object.defineProperty(source, "readStart", {
      ...hidden,
      value: () => {
        this.#wants = true;
        if (this.#phase === "reader") return readStart.call(source);
        // What is typed from here on is the app's.
        if (this.#kind === "terminal") this.#claim();
        else this.#ask();
        return 0;
      },
    });
    Object.defineProperty(source, "readStop", {
      ...hidden,
      value: () => {
        this.#wants = false;
        const result = readStop.call(source);
        this.#restSoon();
        return result;
      },
    });
    if (!setRawMode) return;
    this.#setMode = (mode) => setRawMode.call(source, mode);
    Object.defineProperty(source, "setRawMode", {
      ...hidden,
      value: (mode: unknown) => {
        if (mode) this.#claim();
        this.#mode = mode || undefined;
        // Else another thread of the app has the terminal: it is set when that has left it as it was.
        const { words, epoch } = this.#options;
        const result = words.reader === epoch() ? setRawMode.call(source, mode) : 0;
        if (!mode) this.#restSoon();
        return result;
      },
    });
  }

  #ask(): void {
    if (this.#phase !== "apart") return;
    this.#phase = "asked";
    this.#options.want();
  }

  readonly #readFile = (...args: unknown[]): void => {
    const done = args.pop() as (...results: unknown[]) => void;
    const begin = (): void => {
      this.#underWay++;
      Reflect.apply(read, fs, [
        ...args,
        (...results: unknown[]) => {
          this.#underWay--;
          done(...results);
          if (this.#leaving !== undefined && this.#underWay === 0) this.#left();
        },
      ]);
    };
    if (this.#phase === "reader") {
      begin();
      return;
    }
    this.#begin = begin;
    this.#ask();
  };

  /** A stream that is to flow reads a turn later: what is typed from here on is the app's, and stdout of a protocol's too. */
  #askAtResume(stream: InputStream): void {
    const { resume } = stream;
    const ask = (): void => (this.#kind === "terminal" ? this.#claim() : this.#ask());
    const wrapped = function (this: Readable): Readable {
      ask();
      return resume.call(this);
    };
    hide(stream, "resume", wrapped, resume);
  }

  /** What a module sets while it is evaluated is of its version. */
  #recordSettings(stream: InputStream): void {
    const { setRawMode, setEncoding } = stream;
    const { record } = this.#options;
    if (setRawMode) {
      const wrapped = function (this: unknown, mode: unknown): unknown {
        const before = stream.isRaw === true;
        record("raw mode of the terminal", () => stream.setRawMode?.(before));
        return setRawMode.call(this, mode);
      };
      hide(stream, "setRawMode", wrapped, setRawMode);
    }
    const wrapped = function (this: unknown, encoding?: BufferEncoding): unknown {
      const { decoder, encoding: before } = stream._readableState;
      record("encoding of stdin", () => {
        if (stream._readableState.length === 0) Object.assign(stream._readableState, { decoder, encoding: before });
      });
      return setEncoding.call(this as Readable, encoding as BufferEncoding);
    };
    hide(stream, "setEncoding", wrapped, setEncoding);
  }
}

function hide(target: object, name: string, value: object, original: object): void {
  Object.defineProperties(value, Object.getOwnPropertyDescriptors(original));
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
}
