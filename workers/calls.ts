/** Runs exported functions of the entry on behalf of `supervisor.call()`. Calls under way are in flight like requests. */
import { errorText, UnreloaderError } from "../src/common/errors.js";
import { exportedFunction } from "../src/common/exported-app/exported-function.js";
import type { WorkerReport } from "../src/common/protocol/messages.js";
import type { CallOrder } from "../src/common/protocol/orders.js";
import type { SerializedError } from "../src/common/protocol/serialized-error.js";

export interface CallsOptions {
  /** The entry as it is now. */
  entry(): Promise<Readonly<Record<string, unknown>>>;
  /** A call is in flight until the returned function is called. */
  begin(): () => void;
  send(report: WorkerReport): void;
  serialize(error: unknown): SerializedError;
}

export class Calls {
  readonly #options: CallsOptions;
  /** Call id -> the signals among its arguments, by their number; from the order until the function has settled. */
  readonly #signals = new Map<number, readonly AbortController[]>();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Never rejects: the outcome is reported. */
  async run({ callId, name, args, signals }: CallOrder): Promise<void> {
    const end = this.#options.begin();
    const controllers = signals.map(() => new AbortController());
    this.#signals.set(callId, controllers);
    try {
      const given = [...args];
      signals.forEach(({ argument, property, aborted }, index) => {
        const controller = controllers[index];
        if (controller === undefined) return;
        if (aborted !== undefined) controller.abort(aborted.reason);
        if (property === undefined) given[argument] = controller.signal;
        else given[argument] = { ...(given[argument] as object), [property]: controller.signal };
      });
      const { run, owner } = exportedFunction(await this.#options.entry(), name);
      this.#return(callId, name, await run.apply(owner, given));
    } catch (error) {
      this.#options.send({ type: "callFailed", callId, error: this.#options.serialize(error) });
    } finally {
      this.#signals.delete(callId);
      end();
    }
  }

  abort({ callId, signal, reason }: { callId: number; signal: number; reason: unknown }): void {
    this.#signals.get(callId)?.[signal]?.abort(reason);
  }

  #return(callId: number, name: string, value: unknown): void {
    try {
      this.#options.send({ type: "callReturned", callId, value });
    } catch (error) {
      throw new UnreloaderError(
        "ERR_UNRELOADER_CLONE",
        `the result of ${name}() cannot be passed on from the worker: ${errorText(error)}`,
        { cause: error },
      );
    }
  }
}
