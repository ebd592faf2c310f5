/**
 * Where lines of the supervisor's own go in a process that was started for an app, which has the same descriptors: never
 * into the middle of a line of the app's, and not to stdout while that may be part of a protocol (the app is asked through a
 * pipe on stdin, and answers on stdout).
 */
import { fstatSync } from "node:fs";
import tty from "node:tty";
import type { OutputDescriptor, StreamWords } from "../common/protocol/stream-words.js";

export type OutputName = "stdout" | "stderr";

export class OwnLines {
  readonly #words: StreamWords;
  readonly #stdoutIsTheApps = isAskedThroughPipe();
  /** Both lead to the terminal: what has been written to one stands before what is written to the other. */
  readonly #areOne = tty.isatty(1) && tty.isatty(2);

  constructor(words: StreamWords) {
    this.#words = words;
  }

  /** `text`: whole lines, without the last line's end. */
  write(name: OutputName, text: string): void {
    const to = this.#stdoutIsTheApps ? "stderr" : name;
    const descriptors: readonly OutputDescriptor[] = this.#areOne ? [1, 2] : [to === "stdout" ? 1 : 2];
    // Each is asked: the line of the one ends with that of the other.
    const begun = descriptors.filter((descriptor) => this.#words.endLine(descriptor)).length > 0;
    process[to].write(`${begun ? "\n" : ""}${text}\n`);
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
