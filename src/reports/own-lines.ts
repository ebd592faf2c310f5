/**
 * Where lines of the supervisor's own go in a process that was started for an app, which has the same descriptors: never
 * into the middle of a line of the app's, and not to stdout while that may be part of a protocol (the app is asked through a
 * pipe on stdin, and answers on stdout).
 */
import { fstatSync } from "node:fs";
import tty from "node:tty";
import { PIPE_LOOK_MS } from "../common/deadlines.js";
import type { OutputDescriptor, StreamWords } from "../common/protocol/stream-words.js";

export type OutputName = "stdout" | "stderr";

type Outputs = Readonly<Record<OutputName, { write(text: string): unknown }>>;

export class OwnLines {
  readonly #words: StreamWords;
  readonly #outputs: Outputs;
  readonly #isWriting: (descriptor: OutputDescriptor) => boolean;
  readonly #stdoutIsTheApps = isAskedThroughPipe();
  /** Both lead to the same: what has been written to one stands before what is written to the other. */
  readonly #areOne = isSame();
  /** Lines that wait until the app is not in the middle of writing. */
  readonly #waiting: (readonly [OutputName, string])[] = [];
  #looks: NodeJS.Timeout | undefined;

  /** `isWriting`: the app has written to a pipe that has taken a part. */
  constructor(words: StreamWords, isWriting: (descriptor: OutputDescriptor) => boolean, outputs: Outputs = process) {
    this.#words = words;
    this.#outputs = outputs;
    this.#isWriting = isWriting;
  }

  /** `text`: whole lines, without the last line's end. */
  write(name: OutputName, text: string): void {
    const to = this.#stdoutIsTheApps ? "stderr" : name;
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
      if (this.#descriptors(name).some(this.#isWriting)) {
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

function isAskedThroughPipe(): boolean {
  if (tty.isatty(0)) return false;
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isSocket();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBADF") return false;
    throw error;
  }
}
