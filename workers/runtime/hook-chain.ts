/**
 * Runs hooks of `module.registerHooks` one inside the other, as Node does: the last one first, one context for all of them,
 * and what each of them gives is checked.
 */
import { inspect, types } from "node:util";
import { nodeError } from "./module-errors.js";

export type HookName = "resolve" | "load";
type Next<Context, Result> = (target: string, context?: Partial<Context>) => Result;
export type Hook<Context, Result> = (target: string, context: Context, next: Next<Context, Result>) => Result;

interface Chain<Context, Result> {
  readonly name: HookName;
  /** In the order in which they were registered. */
  readonly hooks: readonly Hook<Context, Result>[];
  /** What is done when the last hook goes on. */
  readonly last: (target: string, context: Context) => Result;
  /** Throws for what Node does not take. */
  readonly check: (result: Result, context: Context) => Result;
}

/** What the hooks make of `target`. Throws what they throw, and Node's errors for what they may not give. */
export function runHooks<Context extends object, Result extends { readonly shortCircuit?: unknown }>(
  { name, hooks, last, check }: Chain<Context, Result>,
  target: string,
  context: Context,
): Result {
  let deepest = hooks.length;
  const steps = [last, ...hooks];
  const next = (index: number): Next<Context, Result> => {
    const step = steps[index] as Hook<Context, Result>;
    return (wanted, given) => {
      deepest = index;
      if (given && given !== context) Object.assign(context, given);
      const result = step(wanted, context, next(index - 1));
      if (index > 0 && deepest === index && !result.shortCircuit)
        throw wrongProperty("true", name, "shortCircuit", result.shortCircuit);
      return check(result, context);
    };
  };
  return next(hooks.length)(target, context);
}

/** Throws for a result of a `resolve` hook that Node does not take. */
export function checkResolved<Result extends { readonly url: unknown; readonly format?: unknown }>(
  result: Result & { readonly importAttributes?: unknown },
): Result {
  const { url, format, importAttributes } = result;
  if (typeof url !== "string") throw wrongProperty("a URL string", "resolve", "url", url);
  if (format && typeof format !== "string") throw wrongProperty("a string", "resolve", "format", format);
  if (importAttributes && typeof importAttributes !== "object")
    throw wrongProperty("an object", "resolve", "importAttributes", importAttributes);
  return result;
}

/** Throws for a result of a `load` hook that Node does not take. `mayBeAbsent`: Node reads the text itself then. */
export function checkLoaded<Result extends { readonly source?: unknown; readonly format?: unknown }>(
  result: Result,
  mayBeAbsent: boolean,
): Result {
  const { source, format } = result;
  const isText = typeof source === "string" || types.isAnyArrayBuffer(source) || ArrayBuffer.isView(source);
  if (!isText && !(mayBeAbsent && (source === undefined || source === null)))
    throw wrongProperty("a string, an ArrayBuffer, or a TypedArray", "load", "source", source);
  if (format && typeof format !== "string") throw wrongProperty("a string", "load", "format", format);
  return result;
}

function wrongProperty(wanted: string, hook: HookName, property: string, value: unknown): Error {
  return nodeError(
    "ERR_INVALID_RETURN_PROPERTY_VALUE",
    `Expected ${wanted} to be returned for the "${property}" from the "${hook}" hook but got ${named(value)}.`,
    TypeError,
  );
}

/** As Node names a value in such a message. */
function named(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value !== "object") return `type ${typeof value} (${inspect(value)})`;
  const { name } = Object(value.constructor) as { name?: unknown };
  return name ? `an instance of ${String(name)}` : inspect(value, { depth: -1 });
}
