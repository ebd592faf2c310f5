/**
 * The standard streams of the app's thread: as Node's in the main thread, on the descriptors of the process, where main
 * says so; else those that Node gives to a thread. Opened when somebody asks for them, as Node does.
 */
import { constants } from "node:os";
import type { Writable } from "node:stream";
import tty from "node:tty";
import { Nesting } from "../../src/common/nesting.js";
import type { StreamsOrder } from "../../src/common/protocol/orders.js";
import { type OutputDescriptor, StreamWords } from "../../src/common/protocol/stream-words.js";
import { prototypesOf } from "../../src/common/untouched.js";
import { AppInput, type InputOptions } from "./input.js";
import { openOutput, type TerminalOutput } from "./output.js";

export interface StandardStreamsOptions extends Omit<InputOptions, "words" | "epoch"> {
  readonly order: StreamsOrder;
  readonly epoch: number;
  /** Runs what is not the doing of the module that runs. */
  nobodys<Result>(run: () => Result): Result;
  /** A write to a pipe begins (1), or is over (-1). */
  underWay(descriptor: OutputDescriptor, change: 1 | -1): void;
  /** The app has got hold of an output. */
  opened(stream: Writable, descriptor: OutputDescriptor): void;
}

export class StandardStreams {
  readonly words: StreamWords;
  /** This thread's. */
  epoch: number;
  /** Undefined: Node's own, which is empty. */
  readonly input: AppInput | undefined;
  readonly #options: StandardStreamsOptions;
  readonly #outputs = new Map<OutputDescriptor, Writable>();
  readonly #opening = new Nesting();
  /** Node calls this of `process.stdout` and `process.stderr` when the main thread reads from the thread's own streams. */
  #asksForMore: symbol | undefined;

  constructor(options: StandardStreamsOptions) {
    this.#options = options;
    this.epoch = options.epoch;
    const { own, words } = options.order;
    this.words = new StreamWords(words);
    this.input = own.includes("stdin")
      ? new AppInput({ ...options, words: this.words, epoch: () => this.epoch })
      : undefined;
  }

  /** One of them is being opened. */
  get opening(): boolean {
    return this.#opening.isUnderWay;
  }

  /** For as long as the thread lives. */
  install(): void {
    const { own } = this.#options.order;
    const { input } = this;
    this.#asksForMore = methodOfNode(process.stdout, "kStdioWantsMoreDataCallback");
    if (own.includes("stdout") && own.includes("stderr")) dropFlush();
    if (own.includes("stdout")) define("stdout", () => this.#output(1));
    if (own.includes("stderr")) define("stderr", () => this.#output(2));
    if (input) define("stdin", () => input.opened ?? this.#open(() => input.stream));
    // What has been printed before has made the console look for its streams.
    Object.assign(console, { _stdout: undefined, _stderr: undefined });
  }

  /** The outputs that are those which Node gives to a thread. */
  ofNode(): OutputDescriptor[] {
    const { own } = this.#options.order;
    return ([1, 2] as const).filter((descriptor) => !own.includes(descriptor === 1 ? "stdout" : "stderr"));
  }

  /** Those that the app has got hold of. */
  has(emitter: unknown): boolean {
    if (this.input?.opened === emitter || [...this.#outputs.values()].some((stream) => stream === emitter)) return true;
    return this.ofNode().some((descriptor) => (descriptor === 1 ? process.stdout : process.stderr) === emitter);
  }

  /** Resolves when what has been written has left. */
  async flushed(): Promise<void> {
    const waiting = [...this.#outputs.values()].filter(({ writableLength }) => writableLength > 0);
    await Promise.all(
      waiting.map(
        (stream) =>
          new Promise<void>((resolve) => {
            stream.once("error", () => resolve());
            stream.write("", () => resolve());
          }),
      ),
    );
  }

  #output(descriptor: OutputDescriptor): Writable {
    const opened = this.#outputs.get(descriptor);
    if (opened) return opened;
    const stream = this.#open(() => {
      const output = openOutput(descriptor, (change) => this.#options.underWay(descriptor, change));
      // Main passes the signal on.
      if (isTerminal(output)) process.on("SIGWINCH", () => output._refreshSize());
      return output;
    });
    this.#outputs.set(descriptor, stream);
    const asks = this.#asksForMore;
    // There is never more: nothing is written there.
    if (asks) Object.defineProperty(stream, asks, { value: () => undefined, configurable: true });
    survivesClosedReader(stream);
    this.#options.opened(stream, descriptor);
    return stream;
  }

  #open<Stream>(open: () => Stream): Stream {
    return this.#opening.run(() => this.#options.nobodys(open));
  }
}

/** A method of Node's, by the description of its symbol. */
function methodOfNode(object: object, description: string): symbol | undefined {
  for (const prototype of prototypesOf(object)) {
    const found = Object.getOwnPropertySymbols(prototype).find((symbol) => symbol.description === description);
    if (found) return found;
  }
  return undefined;
}

/** A listener of Node's that hands on what was written to the thread's own streams: the app counts it. */
function dropFlush(): void {
  const flush = process.rawListeners("exit").find(({ name }) => name === "flushSync");
  if (flush) process.removeListener("exit", flush as (code: number) => void);
}

function isTerminal(stream: Writable): stream is TerminalOutput {
  return stream instanceof tty.WriteStream;
}

function define(name: "stdin" | "stdout" | "stderr", get: () => unknown): void {
  Object.defineProperty(process, name, { get, configurable: true, enumerable: true });
}

/** The reader of the output has gone: what is written is thrown away, and the app is served all the same. */
function survivesClosedReader(stream: Writable): void {
  const { emit } = stream;
  const wrapped = function (this: Writable, event: string | symbol, ...args: unknown[]): boolean {
    const isClosed =
      event === "error" && (args[0] as NodeJS.ErrnoException | undefined)?.errno === -constants.errno.EPIPE;
    if (isClosed && this.listenerCount("error") === 0) return false;
    return Reflect.apply(emit, this, [event, ...args]);
  };
  Object.defineProperty(stream, "emit", { value: wrapped, configurable: true, writable: true, enumerable: false });
}
