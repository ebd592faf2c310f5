/**
 * What reads the terminal without `process.stdin` (`fs.readSync(0)`, `/dev/tty`, a child process that has our stdin) has
 * it for itself, too, while that lasts: main reads no keys, and the terminal is as it was. Installed only where stdin is a
 * terminal.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { type AnyFunction, replaceMethod } from "../ledger/replace.js";

/** Who has the terminal. */
export interface Holder {
  /** From here on it is held; returns when nobody else reads it. */
  hold(): void;
  /** Once for each hold. */
  release(): void;
}

const TERMINAL = new Set<unknown>(["/dev/tty", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]);

type Callback = (...results: unknown[]) => void;

/** For as long as the thread lives. */
export function holdWhileRead(holder: Holder): void {
  const open = new OpenTerminals(holder);
  for (const name of ["readSync", "readvSync"]) {
    wrap(fs, name, (call, [descriptor]) => (descriptor === 0 ? during(holder, call) : call()));
  }
  wrap(fs, "readFileSync", (call, [file]) => (isTerminal(file) ? during(holder, call) : call()));
  for (const name of ["read", "readv"]) {
    wrapAsync(
      fs,
      name,
      ([descriptor]) => descriptor === 0 && holder.hold(),
      () => holder.release(),
    );
  }
  wrapAsync(
    fs,
    "readFile",
    ([file]) => isTerminal(file) && holder.hold(),
    () => holder.release(),
  );
  wrap(fs, "openSync", (call, [file]) => (TERMINAL.has(file) ? open.opening(call as () => number) : call()));
  wrapAsync(
    fs,
    "open",
    ([file]) => TERMINAL.has(file) && holder.hold(),
    ([error, descriptor]) => {
      if (error || typeof descriptor !== "number") holder.release();
      else open.add(descriptor);
    },
  );
  for (const name of ["closeSync", "close"]) {
    wrap(fs, name, (call, [descriptor]) => {
      const result = call();
      open.closed(descriptor);
      return result;
    });
  }
  for (const name of ["spawnSync", "execSync", "execFileSync"]) {
    wrap(childProcess, name, (call, args) => (hasOurInput(args.find(isOptions)) ? during(holder, call) : call()));
  }
  const { ChildProcess } = childProcess;
  wrap(ChildProcess.prototype, "spawn", (call, [options], child) => {
    if (!hasOurInput(options)) return call();
    holder.hold();
    let isHeld = true;
    const release = (): void => {
      if (isHeld) holder.release();
      isHeld = false;
    };
    try {
      const result = call();
      whenEnded(child as childProcess.ChildProcess, release);
      return result;
    } catch (error) {
      release();
      throw error;
    }
  });
  syncBuiltinESMExports();
}

/** Descriptors of the terminal that the app has opened. */
class OpenTerminals {
  readonly #holder: Holder;
  readonly #descriptors = new Set<unknown>();

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  opening(open: () => number): number {
    this.#holder.hold();
    try {
      const descriptor = open();
      this.#descriptors.add(descriptor);
      return descriptor;
    } catch (error) {
      this.#holder.release();
      throw error;
    }
  }

  /** It is held already. */
  add(descriptor: number): void {
    this.#descriptors.add(descriptor);
  }

  closed(descriptor: unknown): void {
    if (this.#descriptors.delete(descriptor)) this.#holder.release();
  }
}

/** Not by a listener, which the app would count. */
function whenEnded(child: childProcess.ChildProcess, ended: () => void): void {
  const { _handle: running } = child as unknown as { _handle?: { onexit: AnyFunction } | null };
  if (!running) {
    ended();
    return;
  }
  const { onexit } = running;
  running.onexit = function (...args) {
    ended();
    return Reflect.apply(onexit, this, args);
  };
}

function isTerminal(file: unknown): boolean {
  return file === 0 || TERMINAL.has(file);
}

function isOptions(argument: unknown): argument is object {
  return typeof argument === "object" && argument !== null && !Array.isArray(argument);
}

/** Whether a child process is given our stdin. */
function hasOurInput(options: unknown): boolean {
  const { stdio } = (options ?? {}) as { stdio?: unknown };
  const first: unknown = Array.isArray(stdio) ? stdio[0] : stdio;
  return first === "inherit" || first === 0 || (first as { fd?: unknown } | null | undefined)?.fd === 0;
}

function during<Result>(holder: Holder, run: () => Result): Result {
  holder.hold();
  try {
    return run();
  } finally {
    holder.release();
  }
}

/** `around` gets the call, which takes other arguments when it is given them, its arguments, and what it is called on. */
function wrap(
  target: object,
  name: string,
  around: (call: (others?: unknown[]) => unknown, args: unknown[], on: unknown) => unknown,
): void {
  replaceMethod(
    target,
    name,
    (original) =>
      function (this: unknown, ...args) {
        return around((others = args) => Reflect.apply(original, this, others), args, this);
      },
  );
}

/** `before` says whether the end is to be told, by what the callback gets. */
function wrapAsync(
  target: object,
  name: string,
  before: (args: unknown[]) => unknown,
  after: (results: unknown[]) => void,
): void {
  wrap(target, name, (call, args) => {
    const done = args.at(-1);
    if (typeof done !== "function" || before(args) === false) return call();
    const told: Callback = (...results) => {
      after(results);
      Reflect.apply(done, undefined, results);
    };
    return call([...args.slice(0, -1), told]);
  });
}
