/**
 * `supervisor.call()`: runs a function that the entry exports. Arguments and results are cloned on their way between the
 * threads; signals, which cannot be, are followed.
 */
import { UnreloaderError } from "../common/errors.js";
import type { CallOrder, SignalArgument, SupervisorOrder } from "../common/protocol/orders.js";
import type { Question, Questions } from "../common/protocol/questions.js";
import { reviveError } from "../common/protocol/serialized-error.js";
import { wait } from "../common/wait.js";
import { errorOfEnd } from "./app-thread.js";
import type { ThreadAnswer } from "./thread-answer.js";

type AbortCallOrder = Extract<SupervisorOrder, { type: "abortCall" }>;

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

/** The calls that one thread has been given. */
export class ThreadCalls {
  readonly #questions: Questions<ThreadAnswer>;
  readonly #send: (order: CallOrder | AbortCallOrder) => void;
  #running = 0;

  constructor(questions: Questions<ThreadAnswer>, send: (order: CallOrder | AbortCallOrder) => void) {
    this.#questions = questions;
    this.#send = send;
  }

  /** Calls that have not been answered. */
  get size(): number {
    return this.#running;
  }

  /** Rejects with what the function threw, with the reason of an abort, or with ERR_UNRELOADER_WORKER_EXIT or _CLONE. */
  async run(call: PreparedCall): Promise<unknown> {
    const { followed } = call;
    const question = this.#ask(call);
    this.#running++;
    try {
      const signal = followed.length > 0 ? AbortSignal.any([...followed]) : undefined;
      const waited = await wait(question.answered, { signal });
      if (waited.type === "settled") return answerOf(waited.value);
    } finally {
      this.#running--;
      question.drop();
    }
    for (const [index, { aborted, reason }] of followed.entries())
      if (aborted)
        this.#send({ type: "abortCall", callId: question.id, signal: index, reason: cloneableReason(reason) });
    throw followed.find(({ aborted }) => aborted)?.reason;
  }

  #ask(call: PreparedCall): Question<ThreadAnswer> {
    const { name, args, signals } = call;
    try {
      return this.#questions.open((callId) => this.#send({ type: "call", callId, name, args, signals }));
    } catch (error) {
      throw cloneError(call, error);
    }
  }
}

function answerOf(answer: ThreadAnswer): unknown {
  switch (answer.type) {
    case "callReturned":
      return answer.value;
    case "callFailed":
      throw reviveError(answer.error);
    case "ended": {
      const cause = errorOfEnd(answer.end);
      const message = `the app's worker ended before the call was answered: ${cause.message}`;
      throw new UnreloaderError("ERR_UNRELOADER_WORKER_EXIT", message, { cause: reviveError(cause) });
    }
    default:
      throw new Error(`the thread cannot answer a call with "${answer.type}"`);
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
