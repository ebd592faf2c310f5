/** Errors as plain data, so that code, location and cause survive the way between the threads. */
import { inspect } from "node:util";

/** A place in a file of the app. */
export interface SourceLocation {
  /** Absolute path of the user's file. */
  file: string;
  /** 1-based, as editors count. */
  line: number;
  /** 1-based. */
  column: number;
}

/** An error as plain data. */
export interface SerializedError {
  /** Of the class, such as TypeError. */
  name: string;
  /** As it was thrown. */
  message: string;
  /** Stack with mapped positions, without the supervisor's own frames. */
  stack?: string | undefined;
  /** `ERR_UNRELOADER_...`, or what Node or the app has given it. */
  code?: string | undefined;
  /** Where in own code it was thrown. */
  location?: SourceLocation | undefined;
  /** The lines around the location, with a caret under the column. */
  frame?: string | undefined;
  /** What led to it. */
  cause?: SerializedError | undefined;
}

/** Anything that was thrown, as data. `locate` finds the position in the user's source; it may give undefined. */
export function serializeError(
  thrown: unknown,
  locate: (error: Error) => { location?: SourceLocation | undefined; frame?: string | undefined } = () => ({}),
  depth = 0,
): SerializedError {
  try {
    if (isErrorLike(thrown)) return serialize(thrown, locate, depth);
  } catch {
    // A getter, a trap or a `toString` of the app has thrown in its turn.
  }
  return { name: "Error", message: `a value that is not an Error was thrown: ${shown(thrown)}` };
}

function serialize(
  thrown: Error,
  locate: NonNullable<Parameters<typeof serializeError>[1]>,
  depth: number,
): SerializedError {
  const { location, frame } = locate(thrown);
  const { name, message, stack, cause } = thrown;
  const code = (thrown as { code?: unknown }).code;
  return {
    name: String(name),
    message: String(message),
    stack: typeof stack === "string" ? stack : undefined,
    code: typeof code === "string" ? code : undefined,
    location,
    frame,
    cause: cause !== undefined && depth < 4 ? serializeError(cause, locate, depth + 1) : undefined,
  };
}

/** As Node shows what was thrown; without running anything of it where it is an object. */
function shown(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null
    ? inspect(thrown, { customInspect: false, depth: 1 })
    : String(thrown);
}

/** The same error again, on the other side. */
export function reviveError(data: SerializedError): Error {
  const error = new Error(data.message, data.cause ? { cause: reviveError(data.cause) } : undefined);
  error.name = data.name;
  if (data.stack !== undefined) error.stack = data.stack;
  return Object.assign(
    error,
    data.code !== undefined && { code: data.code },
    data.location && { location: data.location },
  );
}

function isErrorLike(value: unknown): value is Error {
  return typeof value === "object" && value !== null && "message" in value && "name" in value;
}
