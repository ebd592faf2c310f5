/**
 * `process.stdout` and `process.stderr` of the app's thread as Node makes them in the main thread, on the descriptors
 * themselves: what is written has left when Node says so, with the colours and the size of the terminal, in the order in
 * which it was written, also by a thread that is blocked or about to end. (Those that Node gives to a thread hand their
 * text to main, later.) Any number of threads may have such streams at a time: none closes the descriptor.
 */
import { Socket } from "node:net";
import { Writable } from "node:stream";
import tty from "node:tty";
import type { OutputDescriptor } from "../../src/common/protocol/stream-words.js";
import { kindOfDescriptor } from "./descriptor-kind.js";
import { SyncWriteStream } from "./sync-write-stream.js";

type Done = (error?: Error | null) => void;

/** What Node's own streams have beyond their published interface; lib/internal/bootstrap/switches/is_main_thread.js. */
interface OutputInternals {
  fd: number;
  _type?: string;
  _isStdio: boolean;
  destroySoon: unknown;
  destroy: unknown;
  _destroy(error: Error | null, done: Done): void;
}

interface DestroyedOutput extends Writable {
  _undestroy(): void;
  readonly _writableState: { readonly emitClose: boolean };
}

export interface TerminalOutput extends Writable {
  /** Asks the terminal for its size; emits `resize` when it is another. */
  _refreshSize(): void;
}

/** `underWay`: a write to a pipe begins, or is over. */
export function openOutput(descriptor: OutputDescriptor, underWay: (change: 1 | -1) => void): Writable {
  const stream = openByKind(descriptor);
  const internals = stream as unknown as OutputInternals;
  internals.fd = descriptor;
  internals._isStdio = true;
  internals.destroySoon = internals.destroy;
  // The descriptor stays open for the next one who asks for the stream, and for the other threads.
  internals._destroy = staysOpen;
  if (stream instanceof Socket && internals._type === "pipe") countWrites(stream, underWay);
  return stream;
}

/** A pipe that is full takes a part of what is written, and the rest later. */
function countWrites(stream: Socket, underWay: (change: 1 | -1) => void): void {
  for (const name of ["_write", "_writev"] as const) {
    const original = stream[name] as (...args: unknown[]) => unknown;
    const wrapped = function (this: Socket, ...args: unknown[]): unknown {
      const done = args.pop() as Done;
      underWay(1);
      const over: Done = (error) => {
        underWay(-1);
        done(error);
      };
      return Reflect.apply(original, this, [...args, over]);
    };
    Object.defineProperty(stream, name, { value: wrapped, configurable: true, writable: true, enumerable: false });
  }
}

function openByKind(descriptor: OutputDescriptor): Writable {
  switch (kindOfDescriptor(descriptor)) {
    case "terminal":
      return Object.assign(new tty.WriteStream(descriptor), { _type: "tty" });
    case "file":
      return Object.assign(new SyncWriteStream(descriptor, { autoClose: false }), { _type: "fs" });
    case "pipe":
      return Object.assign(new Socket({ fd: descriptor, readable: false, writable: true }), { _type: "pipe" });
    default:
      return new Writable({ write: (_, __, done) => done() });
  }
}

function staysOpen(this: DestroyedOutput, error: Error | null, done: Done): void {
  done(error);
  this._undestroy();
  // Those who wait for the end of the stream see it, once.
  if (!this._writableState.emitClose) process.nextTick(() => this.emit("close"));
}
