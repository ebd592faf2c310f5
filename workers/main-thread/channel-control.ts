/** `process.channel`, as Node has it (`Control` in lib/internal/child_process.js): whether the channel keeps the event loop alive. */
import { EventEmitter } from "node:events";
import type { SharedChannel } from "../../src/common/protocol/parent-channel.js";

export interface LoopHolds {
  /** The event loop goes on until `letGo`, as often as this was called. */
  hold(): void;
  letGo(): void;
}

/** `process.channel`. */
export class Control extends EventEmitter {
  readonly #channel: HeldLoop;
  #refs = 0;
  #refExplicitlySet = false;

  constructor(channel: HeldLoop) {
    super();
    this.#channel = channel;
  }

  refCounted(): void {
    if (++this.#refs === 1 && !this.#refExplicitlySet) this.#channel.ref();
  }

  unrefCounted(): void {
    if (--this.#refs === 0 && !this.#refExplicitlySet) this.#channel.unref();
  }

  ref(): void {
    this.#refExplicitlySet = true;
    this.#channel.ref();
  }

  unref(): void {
    this.#refExplicitlySet = true;
    this.#channel.unref();
  }

  get fd(): number | undefined {
    return this.#channel.fd;
  }
}

/** What Node has as its handle. */
export class HeldLoop {
  readonly fd: number | undefined;
  readonly #options: LoopHolds;
  #isHeld = false;
  #isClosed = false;

  constructor({ fd }: SharedChannel, options: LoopHolds) {
    this.fd = fd;
    this.#options = options;
  }

  ref(): void {
    if (this.#isHeld || this.#isClosed) return;
    this.#isHeld = true;
    this.#options.hold();
  }

  unref(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#options.letGo();
  }

  close(): void {
    this.unref();
    this.#isClosed = true;
  }
}
