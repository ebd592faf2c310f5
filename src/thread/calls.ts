/**
 * `supervisor.call()`: runs a function that the entry exports. Arguments and results are cloned on their way between the
 * threads; signals, which cannot be, are followed.
 */
import { UnreloaderError } from "../common/errors.js";
import type { CallOrder, SignalArgument, WorkerReport } from "../common/protocol/messages.js";
import { reviveError, type SerializedError } from "../common/protocol/serialized-error.js";

/** A call as it is sent, before it has a number. */
export interface PreparedCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly signals: readonly SignalArgument[];
  /** The signals that the arguments stand for, in the order of `signals`. */
  readonly followed: readonly AbortSignal[];
}

/**
 * Takes the signals out of the arguments: each argument that is one, and the property `signal` of a plain object.
 * @throws UnreloaderError (ERR_UNRELOADER_CLONE) naming the argument that cannot be cloned.
 */
export function prepareCall(name: string, given: readonly unknown[]): PreparedCall {
  const signals: SignalArgument[] = [];
  const followed: AbortSignal[] = [];
  const follow = (signal: AbortSignal, place: { argument: number; property?: "signal" }) => {
    followed.push(signal);
    signals.push({ ...place, ...(signal.aborted && { aborted: { reason: cloneableReason(signal.reason) } }) });
  };
  const args = given.map((value, argument) => {
    if (value instanceof AbortSignal) {
      follow(value, { argument });
      return undefined;
    }
    if (!hasSignal(value)) return value;
    follow(value.signal, { argument, property: "signal" });
    const { signal: _, ...rest } = value;
    return rest;
  });
  return { name, args, signals, followed };
}

/** Finds out which argument the threads cannot pass on. */
function cloneError({ name, args }: PreparedCall, cause: unknown): UnreloaderError {
  const problem = (cause as Error).message;
  const wrong = args.findIndex((value) => !isCloneable(value));
  const which = wrong < 0 ? "its arguments" : `argument ${wrong + 1}`;
  return new UnreloaderError(
    "ERR_UNRELOADER_CLONE",
    `call("${name}"): ${which} cannot be passed on to the worker: ${problem}`,
    { cause },
  );
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Stops following the signals. */
  unfollow(): void;
}

export interface CallsPort {
  call(order: CallOrder): void;
  abortCall(callId: number, signal: number, reason: unknown): void;
}

/** The calls that one thread has been given. */
export class ThreadCalls {
  readonly #port: CallsPort;
  /** Call id -> who waits; from the order to the answer, the abort or the end of the thread. */
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(port: CallsPort) {
    this.#port = port;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Rejects with what the function threw, with the reason of an abort, or with ERR_UNRELOADER_WORKER_EXIT or _CLONE. */
  run(call: PreparedCall): Promise<unknown> {
    const callId = ++this.#last;
    return new Promise((resolve, reject) => {
      const listeners = call.followed.map((signal, index) => {
        const onAbort = () => {
          this.#port.abortCall(callId, index, cloneableReason(signal.reason));
          this.#settle(callId, (pending) => pending.reject(signal.reason));
        };
        signal.addEventListener("abort", onAbort);
        return () => signal.removeEventListener("abort", onAbort);
      });
      const unfollow = () => {
        for (const remove of listeners) remove();
      };
      this.#pending.set(callId, { resolve, reject, unfollow });
      try {
        this.#port.call({ type: "call", callId, name: call.name, args: call.args, signals: call.signals });
      } catch (error) {
        this.#settle(callId, (pending) => pending.reject(cloneError(call, error)));
      }
    });
  }

  receive(report: Extract<WorkerReport, { type: "callReturned" | "callFailed" }>): void {
    this.#settle(report.callId, ({ resolve, reject }) => {
      if (report.type === "callReturned") resolve(report.value);
      else reject(reviveError(report.error));
    });
  }

  /** The thread has ended. */
  end(cause: SerializedError): void {
    for (const callId of [...this.#pending.keys()]) {
      this.#settle(callId, ({ reject }) => {
        const message = `the app's worker ended before the call was answered: ${cause.message}`;
        reject(new UnreloaderError("ERR_UNRELOADER_WORKER_EXIT", message, { cause: reviveError(cause) }));
      });
    }
  }

  #settle(callId: number, run: (pending: Pending) => void): void {
    const pending = this.#pending.get(callId);
    if (pending === undefined) return;
    this.#pending.delete(callId);
    pending.unfollow();
    run(pending);
  }
}

function hasSignal(value: unknown): value is { signal: AbortSignal } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    (value as { signal?: unknown }).signal instanceof AbortSignal
  );
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch (error) {
    if (error instanceof DOMException || error instanceof Error) return false;
    throw error;
  }
}

/** A reason that cannot be cloned becomes its text: the app must be told in any case. */
function cloneableReason(reason: unknown): unknown {
  return isCloneable(reason) ? reason : new DOMException(String(reason), "AbortError");
}
