/** Runs exported functions of the entry on behalf of `supervisor.call()`. Calls under way are in flight like requests. */
import { errorText, UnreloaderError } from "../src/common/errors.js";
import type { CallOrder, WorkerReport } from "../src/common/protocol/messages.js";
import type { SerializedError } from "../src/common/protocol/serialized-error.js";
import { enumerableNames, ownValue } from "../src/common/untouched.js";

export interface CallsOptions {
  /** The entry as it is now. */
  entry(): Promise<Readonly<Record<string, unknown>>>;
  /** A call is in flight until the returned function is called. */
  begin(): () => void;
  send(report: WorkerReport): void;
  serialize(error: unknown): SerializedError;
}

type Exported = (...args: unknown[]) => unknown;

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

/** The export `name`, or the function of that name inside the default export, which then is its `this`. */
export function exportedFunction(
  namespace: Readonly<Record<string, unknown>>,
  name: string,
): { readonly run: Exported; readonly owner: unknown } {
  const inner = namespace.default;
  if (Object.hasOwn(namespace, name) && typeof namespace[name] === "function")
    return { run: namespace[name] as Exported, owner: undefined };
  if (isOwner(inner) && typeof inner[name] === "function" && !(name in Object.prototype))
    return { run: inner[name] as Exported, owner: inner };
  const names = [...new Set([...functionsOf(namespace), ...(isOwner(inner) ? functionsOf(inner) : [])])];
  const exported = names.length === 0 ? "it exports no function" : `it exports ${names.join(", ")}`;
  throw new UnreloaderError("ERR_UNRELOADER_CALL", `the entry exports no function ${name}: ${exported}`);
}

function isOwner(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function functionsOf(owner: Readonly<Record<string, unknown>>): string[] {
  return enumerableNames(owner).filter((name) => typeof ownValue(owner, name) === "function");
}
