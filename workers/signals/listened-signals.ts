/**
 * Which signals the app listens for: in a thread, Node tells nobody of them. Main is told, and listens in the app's place. As
 * in the main thread, a listener counts from the moment in which it is added.
 */
import { constants } from "node:os";
import { SIGNAL_KNOWN_MS } from "../../src/common/deadlines.js";
import type { ThreadBoard } from "../../src/common/protocol/thread-board.js";
import { ALWAYS_PASSED_SIGNALS } from "../../src/common/signals.js";
import { replaceMethod } from "../ledger/replace.js";

export interface ListenedSignalsOptions {
  tell(signals: NodeJS.Signals[]): void;
  board(): ThreadBoard;
  /** Calls the app's listeners, and does nothing else. */
  deliver(signal: NodeJS.Signals): void;
  /** The thread may turn out to be no app's: nothing is told before `open`. */
  readonly waits: boolean;
}

export class ListenedSignals {
  readonly #options: ListenedSignalsOptions;
  readonly #listened = new Set<NodeJS.Signals>();
  #isOpen: boolean;
  #told = 0;
  /** Above 0 while listeners that are gone may come again at once. */
  #plans = 0;

  constructor(options: ListenedSignalsOptions) {
    this.#options = options;
    this.#isOpen = !options.waits;
  }

  /** To be called once. */
  install(): void {
    this.#listen();
    // Main would take SIGINT and SIGTERM for somebody who wants the app to end.
    replaceMethod(process, "kill", (kill) => (...args) => {
      const signal = signalToItself(args);
      if (signal === undefined || process.listenerCount(signal) === 0) return Reflect.apply(kill, process, args);
      setImmediate(() => this.#options.deliver(signal));
      return true;
    });
  }

  /** As Node's own two listeners of the main thread, which an app may take away like those. A second call does no harm. */
  #listen(): void {
    const emitter: NodeJS.EventEmitter = process;
    if (!emitter.listeners("newListener").includes(this.#onAdd)) emitter.on("newListener", this.#onAdd);
    if (!emitter.listeners("removeListener").includes(this.#onRemove)) emitter.on("removeListener", this.#onRemove);
  }

  /** The thread is the app's from here on. */
  open(): void {
    this.#isOpen = true;
    this.#told = 0;
    if (this.#listened.size > 0) this.#tell(this.#listened);
  }

  /** What old code has listened for, new code listens for as well, in most cases: nothing is told before the plan is over. */
  async duringPlan(run: () => Promise<void>): Promise<void> {
    this.#plans++;
    try {
      await run();
    } finally {
      this.#plans--;
      this.#listen();
      this.#lookAgain();
    }
  }

  /** Listeners may come again. */
  get isUndecided(): boolean {
    return this.#plans > 0;
  }

  readonly #onAdd = (event: string | symbol): void => {
    if (!isSignal(event) || this.#listened.has(event)) return;
    if (event === "SIGKILL" || event === "SIGSTOP") throw cannotListen();
    this.#listened.add(event);
    this.#tell([event]);
  };

  readonly #onRemove = (event: string | symbol): void => {
    if (isSignal(event) && this.#plans === 0) this.#lookAgain();
  };

  #lookAgain(): void {
    const gone = [...this.#listened].filter((signal) => process.listenerCount(signal) === 0);
    if (gone.length === 0) return;
    for (const signal of gone) this.#listened.delete(signal);
    this.#tell(gone);
  }

  /** A signal that comes in the next moment does what it does from now on: who sends it may be the app, or wait for its line. */
  #tell(changed: Iterable<NodeJS.Signals>): void {
    if (!this.#isOpen) return;
    this.#told++;
    this.#options.tell([...this.#listened]);
    if ([...changed].every((signal) => ALWAYS_PASSED_SIGNALS.has(signal))) return;
    this.#options.board().awaitSignals(this.#told, SIGNAL_KNOWN_MS);
  }
}

function isSignal(event: string | symbol): event is NodeJS.Signals {
  return typeof event === "string" && Object.hasOwn(constants.signals, event);
}

/** Of the arguments of `process.kill`. */
function signalToItself([pid, sent = "SIGTERM"]: readonly unknown[]): NodeJS.Signals | undefined {
  if (pid !== process.pid) return undefined;
  const [name] = Object.entries(constants.signals).find((entry) => entry.includes(sent as string)) ?? [];
  return name as NodeJS.Signals | undefined;
}

/** What Node throws. */
function cannotListen(): NodeJS.ErrnoException {
  return Object.assign(new Error("uv_signal_start EINVAL"), {
    errno: -constants.errno.EINVAL,
    code: "EINVAL",
    syscall: "uv_signal_start",
  });
}
