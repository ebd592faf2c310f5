/**
 * Where lines of the supervisor's own go in a process that was started for an app, which has the same descriptors: never
 * into the middle of a line of the app's, and not to stdout when that may be part of a protocol (the app reads a pipe on
 * stdin, and answers on stdout).
 */
import { fstatSync } from "node:fs";
import { PIPE_LOOK_MS } from "../common/deadlines.js";
import type { OutputDescriptor, StreamWords } from "../common/protocol/stream-words.js";

export type OutputName = "stdout" | "stderr";

/** What the app does with the streams that it shares with us. */
export interface AppOnStreams {
  /** It has written to a pipe that has taken a part. */
  isWriting(descriptor: OutputDescriptor): boolean;
  /** It has read stdin, or has asked for it. */
  readsInput(): boolean;
}

type Outputs = Readonly<Record<OutputName, { write(text: string): unknown }>>;

export class OwnLines {
  readonly #words: StreamWords;
  readonly #outputs: Outputs;
  readonly #app: AppOnStreams;
  readonly #inputIsPipe = isPipe(0);
  /** Both lead to the same: what has been written to one stands before what is written to the other. */
  readonly #areOne = isSame();
  /** Lines that wait until the app is not in the middle of writing. */
  readonly #waiting: (readonly [OutputName, string])[] = [];
  #looks: NodeJS.Timeout | undefined;

  constructor(words: StreamWords, app: AppOnStreams, outputs: Outputs = process) {
    this.#words = words;
    this.#app = app;
    this.#outputs = outputs;
  }

  /** `text`: whole lines, without the last line's end. */
  write(name: OutputName, text: string): void {
    const to = this.#inputIsPipe && this.#app.readsInput() ? "stderr" : name;
    this.#waiting.push([to, text]);
    if (this.#looks === undefined) this.#writeWaiting();
  }

  /** Writes what waits, whatever the app does. */
  flush(): void {
    clearTimeout(this.#looks);
    for (const [name, text] of this.#waiting.splice(0)) this.#writeNow(name, text);
  }

  #writeWaiting(): void {
    this.#looks = undefined;
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const [name, text] = next;
      if (this.#descriptors(name).some((descriptor) => this.#app.isWriting(descriptor))) {
        this.#looks = setTimeout(() => this.#writeWaiting(), PIPE_LOOK_MS);
        return;
      }
      this.#waiting.shift();
      this.#writeNow(name, text);
    }
  }

  #writeNow(name: OutputName, text: string): void {
    // Each is asked: the line of the one ends with that of the other.
    const begun = this.#descriptors(name).filter((descriptor) => this.#words.endLine(descriptor)).length > 0;
    this.#outputs[name].write(`${begun ? "\n" : ""}${text}\n`);
  }

  #descriptors(name: OutputName): readonly OutputDescriptor[] {
    if (this.#areOne) return [1, 2];
    return [name === "stdout" ? 1 : 2];
  }
}

function isSame(): boolean {
  try {
    const [stdout, stderr] = [fstatSync(1), fstatSync(2)];
    return stdout.dev === stderr.dev && stdout.ino === stderr.ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBADF") return false;
    throw error;
  }
}

function isPipe(descriptor: number): boolean {
  try {
    const input = fstatSync(descriptor);
    return input.isFIFO() || input.isSocket();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBADF") return false;
    throw error;
  }
}
