/** Single keys while running in a terminal, and while the app does not read it. */
import { openSync, readlinkSync } from "node:fs";
import tty from "node:tty";
import type { Keys } from "../thread/input-turns.js";
import { isInForeground } from "./foreground.js";

export interface KeyActions {
  reload(): void;
  restart(): void;
  explain(): void;
  explainLeak(): void;
  quit(): void;
}

const CTRL_C = "\u0003";
const CTRL_Z = "\u001a";

/**
 * Through a descriptor of our own: Node sets the one that it reads to non-blocking, and an app's `fs.readSync(0)` would fail
 * where it waits under Node.
 */
function openTerminal(): tty.ReadStream {
  return process.platform === "linux"
    ? new tty.ReadStream(openSync(readlinkSync("/proc/self/fd/0"), "r"))
    : process.stdin;
}

/** A paused stream would still take what comes next, to keep it. What Node does with `process.stdin`, a turn later. */
function stopReading(input: object): void {
  const { _handle: source, _readableState: state } = input as {
    _handle: { reading: boolean; readStop(): void } | null;
    _readableState: { reading: boolean };
  };
  if (!source) return;
  state.reading = false;
  source.reading = false;
  source.readStop();
}

/** Reads single keys from a terminal. Does not keep the process alive. */
export class TerminalKeys implements Keys {
  readonly #input: NodeJS.ReadStream;
  #isReading = false;

  /** For as long as the process lives. */
  constructor(actions: KeyActions, input = openTerminal()) {
    this.#input = input;
    input.setEncoding("utf8");
    input.on("data", (key: string) => {
      if (key === "r") actions.reload();
      else if (key === "R") actions.restart();
      else if (key === "w") actions.explain();
      else if (key === "l") actions.explainLeak();
      else if (key === "c") console.clear();
      else if (key === "q" || key === CTRL_C) actions.quit();
      else if (key === CTRL_Z) this.#suspend();
      else if (key === "\r") process.stdout.write("\n");
    });
    input.pause();
    process.on("SIGCONT", () => this.#resume());
  }

  read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#resume();
  }

  leave(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#input.setRawMode(false);
    this.#input.pause();
    stopReading(this.#input);
  }

  /** As the terminal does it in its usual mode: what runs in it stops, and the shell has it. */
  #suspend(): void {
    this.#input.setRawMode(false);
    process.kill(0, "SIGTSTP");
  }

  /** The shell, or another program, may have set the terminal meanwhile. In the background it is not ours: setting it would stop us. */
  #resume(): void {
    if (!this.#isReading || !isInForeground()) return;
    this.#input.setRawMode(false);
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#input.unref();
  }
}
