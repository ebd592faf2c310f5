/**
 * Says once that the process has run out of descriptors, and again when it happens after a while without. Node does not tell:
 * it accepts and closes, without an event, whatever waits when an accept fails for want of one. So it is looked at for a
 * while after each accept whether there is one left.
 */
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { isLackOfDescriptors } from "../common/compile/descriptor-reserve.js";

const WITHOUT_MS = 10_000;
const LOOK_MS = 100;
/** After an accept: the worker takes one more for it, when it gets to it. */
const LOOKS = 10;

export class DescriptorLack {
  readonly #warn: (message: string) => void;
  /** On the clock of `performance.now()`. */
  #lastTime = Number.NEGATIVE_INFINITY;
  #looksLeft = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** A client has come: there may be no descriptor for the next one. */
  accepted(): void {
    this.#looksLeft = LOOKS;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** An accept, or a connection to the worker, has failed for want of a descriptor; by its code, EMFILE or ENFILE. */
  met(code: string): void {
    const now = performance.now();
    const isNew = now - this.#lastTime > WITHOUT_MS;
    this.#lastTime = now;
    if (!isNew) return;
    this.#warn(
      `no descriptors are left (${code}): clients that are connected are served, new ones wait or are turned away until ` +
        "others leave; raise the limit (ulimit -n), each connection takes up to three",
    );
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#looksLeft--;
    if (this.#looksLeft === 0) this.close();
    try {
      closeSync(openSync(devNull, "r"));
    } catch (error) {
      if (!isLackOfDescriptors(error)) throw error;
      this.met((error as NodeJS.ErrnoException).code ?? "");
    }
  }
}
