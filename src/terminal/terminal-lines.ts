/**
 * The one place where lines of our own leave for standard output and standard error. Nothing in them but what is added here is
 * obeyed by a terminal; on a terminal they have a clock and colours (NO_COLOR, FORCE_COLOR and TERM are Node's affair), and
 * elsewhere they are plain.
 */
import { visibleText } from "../common/visible-text.js";
import type { OutputName } from "../reports/own-lines.js";
import type { WriteLines } from "../reports/tell-events.js";
import { type Paint, paintedLine, paintForTerminal } from "./paint.js";

/** As much of `process.stdout` as is asked. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly rows?: number;
  hasColors?(): boolean;
  write(text: string): unknown;
}

export interface TerminalLinesOptions {
  /** `text`: whole lines, without the end of the last one. */
  write(name: OutputName, text: string): void;
  readonly outputs?: Readonly<Record<OutputName, OutputStream>>;
  now?(): Date;
}

const PLAIN: Paint = (_, text) => text;

export class TerminalLines {
  readonly #with: TerminalLinesOptions;
  readonly #outputs: Readonly<Record<OutputName, OutputStream>>;

  constructor(options: TerminalLinesOptions) {
    this.#with = options;
    this.#outputs = options.outputs ?? process;
  }

  /** Whether somebody reads along. */
  get isTerminal(): boolean {
    return this.#outputs.stdout.isTTY === true;
  }

  /** `clears`: these lines are all that is to be seen. */
  readonly write: WriteLines = (name, lines, clears = false) => {
    const output = this.#outputs[name];
    const shown = lines.map(visibleText);
    if (!output.isTTY) this.#with.write(name, shown.join("\n"));
    else this.#with.write(name, `${clears ? emptied(output) : ""}${this.#dressed(output, shown).join("\n")}`);
  };

  /** Nothing is to be seen. */
  clear(): void {
    const { stdout } = this.#outputs;
    if (stdout.isTTY) stdout.write(emptied(stdout));
  }

  #dressed(output: OutputStream, lines: readonly string[]): string[] {
    const paint = output.hasColors?.() ? paintForTerminal : PLAIN;
    return lines.map((line) => {
      const painted = paintedLine(line, paint);
      return line.startsWith("unreloader: ") ? `${paint("dim", this.#clock())} ${painted}` : painted;
    });
  }

  #clock(): string {
    const now = (this.#with.now ?? (() => new Date()))();
    return [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
  }
}

/** For those who share the outputs with nobody. */
export function ownLines(): TerminalLines {
  return new TerminalLines({ write: (name, text) => process[name].write(`${text}\n`) });
}

/** What was on the screen can still be reached by scrolling back. */
function emptied({ rows = 1 }: OutputStream): string {
  return `${"\n".repeat(Math.max(0, rows - 1))}\x1b[H\x1b[J`;
}
