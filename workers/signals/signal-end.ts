/**
 * The end of an app that listens for the signal that ends it: its listeners do what they do under Node, where the process
 * ends when the app says so (`process.exit()`, the signal sent again) or has nothing left to do. Servers that listen are
 * something to do, and go on accepting. Here it also ends when asynchronous listeners are done, and at the deadline.
 */
import { constants } from "node:os";
import type { LoopHold } from "../loop-hold.js";
import { BegunByListeners } from "./begun-by-listeners.js";

export interface SignalEndOptions {
  readonly loop: LoopHold;
  /** Runs what belongs to no module. */
  nobodys<Result>(run: () => Result): Result;
  /** Has it called when the app closes a server. */
  onClosing(closes: () => void): void;
  /** A server that the app has closed has connections left. */
  isClosing(): boolean;
  /** What listens does not keep the event loop alive any more. */
  leaveServers(): void;
}

/** What ends brings no event. */
const LOOK_MS = 25;

export class SignalEnd {
  readonly #options: SignalEndOptions;
  readonly #begun = new BegunByListeners();
  readonly #results: unknown[] = [];
  /** Listeners that gave a promise which has not settled. */
  #pending = 0;
  #isSentAgain = false;
  #isWatched = false;
  #isOver = false;
  /** Nobody can connect any more, and the order to stop keeps the thread alive. */
  #isStopping = false;
  #looks: NodeJS.Timeout | undefined;
  readonly #over: Promise<void>;
  #resolve: () => void = () => {};

  constructor(options: SignalEndOptions) {
    this.#options = options;
    this.#over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Whether the app has listened for a signal that ends it. */
  get isHeard(): boolean {
    return this.#results.length > 0;
  }

  /** Runs the app's listeners. What they throw is thrown. */
  deliver(signal: NodeJS.Signals): void {
    this.#watchKill(signal);
    // What waits for that is called by the last connection, not by what has closed the server.
    this.#options.onClosing(() => this.#begun.followAll());
    const listeners = (process as NodeJS.EventEmitter).rawListeners(signal);
    for (const listener of listeners) this.#run(listener, signal);
  }

  /** Resolves when the app has nothing left to do; the thread then stays until it is told to stop. */
  async whenOver(): Promise<void> {
    this.#watch();
    await this.#over;
  }

  /** The order to stop has come: resolves when the app has nothing left to do for the signal, after `deadlineMs` at the latest. */
  async over(deadlineMs: number): Promise<void> {
    if (!this.isHeard || this.#isOver) return;
    const { loop, leaveServers } = this.#options;
    const deadline = setTimeout(() => this.#end(), deadlineMs).unref();
    leaveServers();
    loop.suspend();
    this.#isStopping = true;
    this.#watch();
    await this.#over;
    clearTimeout(deadline);
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#looks = setInterval(() => this.#look(), LOOK_MS).unref();
    process.prependListener("beforeExit", this.#onFirst);
    process.on("beforeExit", this.#onLast);
    this.#look();
  }

  #look(): void {
    if (this.#isSentAgain || this.#saidSo()) this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#looks);
    process.off("beforeExit", this.#onFirst);
    process.off("beforeExit", this.#onLast);
    this.#stay();
    this.#begun.close();
    this.#resolve();
  }

  readonly #onFirst = (): void => {
    this.#begun.followAll();
    this.#begun.mark();
  };

  /** The app's own listeners come between the two, and may begin something. */
  readonly #onLast = (): void => {
    const goOn = this.#stay();
    void this.#begun.outlasts().then((goesOn) => (goesOn ? goOn() : this.#end()));
  };

  /** The event loop does not end until the returned function is called. */
  #stay(): () => void {
    const { loop } = this.#options;
    loop.hold();
    loop.resume();
    return () => {
      loop.letGo();
      if (this.#isStopping) loop.suspend();
    };
  }

  // biome-ignore lint/complexity/noBannedTypes: as rawListeners() gives them
  #run(listener: Function, signal: NodeJS.Signals): void {
    const at = this.#results.push(undefined) - 1;
    const result = this.#options.nobodys(() =>
      this.#begun.run(() => Reflect.apply(listener, process, [signal, constants.signals[signal]])),
    );
    this.#results[at] = result;
    if (!isPromise(result)) return;
    this.#pending++;
    const settled = (): void => {
      this.#pending--;
    };
    // What it rejects with is the app's: nobody has caught it by this.
    void Promise.resolve(result).finally(settled);
  }

  /** All listeners are asynchronous, and done. */
  #saidSo(): boolean {
    if (this.#pending > 0 || !this.#results.every(isPromise)) return false;
    return !this.#begun.goesOn && !this.#options.isClosing();
  }

  /**
   * An app often sends the signal to itself again when it is done, to end as if it had no listener (Nest does): that is not
   * somebody who wants it to end at once. One that still listens hears it again.
   */
  #watchKill(signal: NodeJS.Signals): void {
    const kill = process.kill;
    process.kill = (pid, sent = "SIGTERM") => {
      const isSame = pid === process.pid && (sent === signal || sent === constants.signals[signal]);
      if (!isSame) return kill.call(process, pid, sent);
      setImmediate(() => {
        const emitter: NodeJS.EventEmitter = process;
        if (emitter.listenerCount(signal) > 0) emitter.emit(signal, signal, constants.signals[signal]);
        else this.#sentAgain();
      });
      return true;
    };
  }

  #sentAgain(): void {
    this.#isSentAgain = true;
    if (this.#isWatched) this.#look();
  }
}

function isPromise(result: unknown): boolean {
  return result instanceof Promise;
}
