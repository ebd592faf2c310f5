/** Which file of the app has called. */
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The file in whose text the call of `called` stands, which is on the stack; undefined for code without a file. */
export function callerFile(called: (...args: never[]) => unknown): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = 1;
  Error.prepareStackTrace = (_, sites) => sites[0]?.getFileName();
  try {
    Error.captureStackTrace(holder, called);
    return typeof holder.stack === "string" ? pathOf(holder.stack) : undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace) Error.prepareStackTrace = prepareStackTrace;
    else Reflect.deleteProperty(Error, "prepareStackTrace");
  }
}

/** Loaders may add a query. */
function pathOf(name: string): string | undefined {
  if (name.startsWith("node:")) return undefined;
  if (name.startsWith("file:")) return fileURLToPath(name.replace(/[?#].*$/, ""));
  // `[eval]`, a prompt.
  return path.isAbsolute(name) ? name : undefined;
}
