/**
 * `node:timers/promises`: at purge the timers end, and what waits for them waits for ever, because an error would end the
 * process if nobody catches it.
 */
import timers from "node:timers/promises";
import { packageOf } from "../../src/common/paths.js";
import { inherits, isObject } from "../../src/common/untouched.js";
import type { ModuleEdges } from "../runtime/module-edges.js";
import { callerOf } from "./caller.js";
import type { LedgerEntry } from "./ledger.js";
import { type AnyFunction, replaceMethod } from "./replace.js";
import type { TimerChain } from "./timer-chains.js";
import type { TimersOptions } from "./timers.js";

type Options = { signal?: unknown } | undefined;
type Iteration = AsyncGenerator<unknown, unknown, unknown>;

/** Returns the way back. */
export function installTimerPromises(options: TimersOptions): () => void {
  const wrapPromise = (optionsAt: number) => (original: AnyFunction) => wrapWait(original, optionsAt, options);
  const restores = [
    replaceMethod(timers, "setTimeout", wrapPromise(2)),
    replaceMethod(timers, "setImmediate", wrapPromise(1)),
    replaceMethod(timers, "setInterval", (original) => wrapInterval(original, options)),
    replaceMethod(Object.getPrototypeOf(timers.scheduler), "wait", wrapPromise(1)),
  ];
  return () => {
    for (const restore of restores.reverse()) restore();
  };
}

function wrapWait(original: AnyFunction, optionsAt: number, context: TimersOptions): AnyFunction {
  return function wait(this: unknown, ...args: unknown[]): unknown {
    const waiting = Waiting.begin(context, wait, args[optionsAt]);
    if (!waiting) return Reflect.apply(original, this, args);
    const given = [...args];
    given[optionsAt] = waiting.options;
    return waiting.follow(Reflect.apply(original, this, given) as Promise<unknown>, true);
  };
}

function wrapInterval(original: AnyFunction, context: TimersOptions): AnyFunction {
  return function setInterval(this: unknown, ...args: unknown[]): unknown {
    const waiting = Waiting.begin(context, setInterval, args[2]);
    if (!waiting) return Reflect.apply(original, this, args);
    const iteration = Reflect.apply(original, this, [args[0], args[1], waiting.options]) as Iteration;
    const steps: Pick<Iteration, "next" | "return" | "throw"> & { [Symbol.asyncIterator](): unknown } = {
      next: () => waiting.follow(iteration.next(), false),
      return: (value) => waiting.follow(iteration.return(value), true),
      throw: (error) => waiting.follow(iteration.throw(error), true),
      [Symbol.asyncIterator]: () => wrapped,
    };
    const wrapped = Object.assign(Object.create(iteration) as object, steps);
    return wrapped;
  };
}

/** One call that a module has made. */
class Waiting {
  readonly options: object;
  readonly #context: TimersOptions;
  readonly #chain: TimerChain;
  readonly #purged = new AbortController();
  readonly #entry: LedgerEntry | undefined;

  /** Undefined when nobody owns what is called now, or the options are for Node to refuse. */
  static begin(context: TimersOptions, wrapper: AnyFunction, options: unknown): Waiting | undefined {
    const owner = context.observer.active ? context.observer.owner : undefined;
    if (owner === undefined || !areValid(options)) return undefined;
    const { kind, file } = callerOf(wrapper);
    if (kind !== "own" && kind !== "package") return undefined;
    return new Waiting(context, owner, options, packageOf(file)?.name);
  }

  constructor(context: TimersOptions, owner: ModuleEdges, options: Options, packageName: string | undefined) {
    this.#context = context;
    this.#chain = context.chains.current(owner);
    const { signal } = this.#purged;
    const given = options?.signal as AbortSignal | undefined;
    this.options = { ...options, signal: given ? AbortSignal.any([given, signal]) : signal };
    const end = () => {
      if (packageName !== undefined) context.pauseEnded(owner.file, packageName);
      this.#purged.abort();
    };
    this.#entry = context.ledger.record("timer promise", end, owner);
  }

  /** What the module gets for a promise of Node's: the same outcome, unless it is purged before. */
  follow<T>(promise: Promise<T>, isLast: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void) => {
        if (this.#purged.signal.aborted) return;
        if (isLast) this.#entry?.drop();
        this.#context.chains.fire(this.#chain, run);
      };
      promise.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }
}

function areValid(options: unknown): options is Options {
  if (options === undefined) return true;
  if (typeof options !== "object" || options === null) return false;
  const { signal } = options as { signal?: unknown };
  return signal === undefined || (isObject(signal) && inherits(signal, AbortSignal.prototype));
}
