/** Single keys while running in a terminal, and while the app does not read it. */
import { openSync, readlinkSync } from "node:fs";
import tty from "node:tty";
import type { Keys } from "../thread/input-turns.js";
import { isInForeground } from "./foreground.js";
import { keysOf } from "./key-presses.js";

export interface KeyActions {
  reload(): void;
  restart(): void;
  explain(): void;
  explainLeak(): void;
  openPanel(): void;
  clear(): void;
  help(): void;
  quit(): void;
}

/** What each key does, for people; in the order of use. */
export const KEY_MEANINGS: readonly (readonly [key: string, action: keyof KeyActions, meaning: string])[] = [
  ["r", "reload", "reload now what has changed"],
  ["R", "restart", "a fresh worker"],
  ["w", "explain", "why the last reload did what it did"],
  ["l", "explainLeak", "what is still alive of old code"],
  ["o", "openPanel", "open the panel in a browser"],
  ["c", "clear", "clear the terminal"],
  ["h", "help", "this help"],
  ["q", "quit", "end, as Ctrl-C does"],
];

const MEANINGFUL: ReadonlySet<string> = new Set([...KEY_MEANINGS.map(([key]) => key), "\r"]);

const CTRL_C = "\u0003";
const CTRL_Z = "\u001a";
const CTRL_BACKSLASH = "\u001c";

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
    input.on("data", (read: string) => {
      for (const key of keysOf(read, MEANINGFUL)) this.#act(key, actions);
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

  #act(key: string, actions: KeyActions): void {
    const [, action] = KEY_MEANINGS.find(([name]) => name === key) ?? [];
    if (action !== undefined) actions[action]();
    else if (key === CTRL_C) actions.quit();
    else if (key === CTRL_Z) this.#suspend();
    else if (key === CTRL_BACKSLASH) process.kill(0, "SIGQUIT");
    else if (key === "\r") process.stdout.write("\n");
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
