/** What main has told of a signal: has the app's listeners called, and says what it is asked for. */
import { constants } from "node:os";
import type { WorkerReport } from "../../src/common/protocol/messages.js";
import type { SupervisorOrder } from "../../src/common/protocol/orders.js";
import type { ListenedSignals } from "./listened-signals.js";
import type { SignalEnd } from "./signal-end.js";

type SignalOrder = Extract<SupervisorOrder, { type: "signal" | "endBySignal" }>;

export interface SignalOrdersOptions {
  readonly listened: ListenedSignals;
  readonly end: SignalEnd;
  send(report: WorkerReport): void;
  /** Runs what belongs to no module. */
  nobodys<Result>(run: () => Result): Result;
  /** Runs it behind the orders that came before. */
  behind(run: () => void): void;
}

export class SignalOrders {
  readonly #options: SignalOrdersOptions;

  constructor(options: SignalOrdersOptions) {
    this.#options = options;
  }

  obey(order: SignalOrder): void {
    const { listened, behind } = this.#options;
    const isHeard = process.listenerCount(order.signal) > 0;
    // Old code has listened for it, and new code may be about to.
    if (listened.isUndecided && !isHeard) {
      behind(() => this.#deliver(order));
      return;
    }
    if (order.type === "signal" && order.requestId !== undefined)
      this.#options.send({ type: "signalDelivered", requestId: order.requestId, isHeard });
    this.#deliver(order);
  }

  /** Calls the app's listeners, and does nothing else. */
  emit(signal: NodeJS.Signals): void {
    const emitter: NodeJS.EventEmitter = process;
    this.#options.nobodys(() => emitter.emit(signal, signal, constants.signals[signal]));
  }

  #deliver(order: SignalOrder): void {
    const { end, send } = this.#options;
    if (order.type === "signal" && !order.ends) this.emit(order.signal);
    else end.deliver(order.signal);
    if (order.type === "endBySignal")
      void end.whenOver().then(() => send({ type: "signalOver", requestId: order.requestId }));
  }
}
