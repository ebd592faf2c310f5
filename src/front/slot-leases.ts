/**
 * Which slots of the connection table are free. A slot is leased for one upstream connection; it is free again when the
 * main thread has given it back and the worker has written RELEASED (or has died), because until then the worker may
 * still write its counters.
 */
import { RELEASED, SLOT_WORDS, slotBase } from "../common/protocol/connection-table.js";

const RETRY_MS = 10;
/** No worker has this number. */
const ENDED = 0;

export class SlotLeases {
  readonly #table: Int32Array<SharedArrayBuffer>;
  readonly #free: number[] = [];
  /** Slots the main thread gave back and whose worker has not yet: they turn free when RELEASED is set. */
  #returned: number[] = [];
  /** Epoch of the worker that each slot was last leased for; ENDED when that has ended since. */
  readonly #epochs: Int32Array;
  /** Who waits for a slot, first come first served; each is called once and asks again. */
  #waiters: (() => void)[] = [];
  #retry: NodeJS.Timeout | undefined;

  constructor(table: Int32Array<SharedArrayBuffer>) {
    this.#table = table;
    const slots = Math.floor((table.length - slotBase(0)) / SLOT_WORDS);
    this.#epochs = new Int32Array(slots);
    for (let slot = slots - 1; slot >= 0; slot--) this.#free.push(slot);
  }

  /** A slot with zeroed words for a connection to the worker of `epoch`; undefined when all are in use. */
  acquire(epoch: number): number | undefined {
    if (this.#free.length === 0) this.#sweep();
    const slot = this.#free.pop();
    if (slot === undefined) return undefined;
    this.#epochs[slot] = epoch;
    const base = slotBase(slot);
    this.#table.fill(0, base, base + SLOT_WORDS);
    return slot;
  }

  /** The main thread's socket has closed. */
  giveBack(slot: number): void {
    if (this.#isLetGo(slot)) {
      this.#free.push(slot);
      this.#wakeWaiters();
    } else {
      this.#returned.push(slot);
    }
  }

  /** The worker never saw this connection. */
  giveBackUnused(slot: number): void {
    Atomics.store(this.#table, slotBase(slot) + RELEASED, 1);
    this.giveBack(slot);
  }

  /** Calls `wake` once a slot may be free. */
  whenFree(wake: () => void): void {
    this.#waiters.push(wake);
    // RELEASED is set by the worker without a message, so look now and then, only while somebody waits.
    this.#retry ??= setInterval(() => {
      this.#sweep();
      this.#wakeWaiters();
    }, RETRY_MS);
  }

  /** The worker of `epoch` is dead: it writes no more. */
  epochEnded(epoch: number): void {
    for (const [slot, of] of this.#epochs.entries()) if (of === epoch) this.#epochs[slot] = ENDED;
    this.#sweep();
    this.#wakeWaiters();
  }

  close(): void {
    clearInterval(this.#retry);
    this.#retry = undefined;
    this.#waiters = [];
  }

  #sweep(): void {
    if (this.#returned.length === 0) return;
    this.#returned = this.#returned.filter((slot) => {
      const letGo = this.#isLetGo(slot);
      if (letGo) this.#free.push(slot);
      return !letGo;
    });
  }

  /** By the worker. */
  #isLetGo(slot: number): boolean {
    return this.#epochs[slot] === ENDED || this.#table[slotBase(slot) + RELEASED] === 1;
  }

  #wakeWaiters(): void {
    if (this.#free.length === 0 || this.#waiters.length === 0) return;
    const woken = this.#waiters.splice(0, this.#free.length);
    if (this.#waiters.length === 0) {
      clearInterval(this.#retry);
      this.#retry = undefined;
    }
    for (const wake of woken) wake();
  }
}
