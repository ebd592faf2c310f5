/** Calls of the app's thread that only the main thread may make. */
import type { ProcessCallName, ProcessCallOutcome, ThrownError } from "../common/protocol/process-calls.js";

/** Errors are the caller's. */
export function carryOut(name: ProcessCallName, args: readonly unknown[]): ProcessCallOutcome {
  try {
    if (name === "title") {
      process.title = args[0] as string;
      // The system may have shortened it.
      return { type: "returned", value: process.title };
    }
    const method = Reflect.get(process, name) as ((...args: unknown[]) => unknown) | undefined;
    return { type: "returned", value: method?.apply(process, [...args]) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { type: "threw", error: thrown(error) };
  }
}

function thrown(error: Error): ThrownError {
  const { code } = error as NodeJS.ErrnoException;
  return {
    kind: error instanceof TypeError ? "TypeError" : error instanceof RangeError ? "RangeError" : "Error",
    message: error.message,
    hasCodeInStack: error.stack?.startsWith(`${error.name} [${code}]`) === true,
    properties: { ...error },
  };
}
