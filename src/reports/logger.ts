/** The logger that people bring: pino and what is called like it, console and its like, or a function. */
import type { LogLevel } from "./report.js";

/** What goes with a message: `event`, and the fields of that event. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Gets every line, without its beginning, and the fields of the event that it is about. */
export type LogFunction = (level: LogLevel, message: string, fields: LogFields) => void;

/** Methods that are missing are not called: lines of that level are left out, but errors and warnings stand in for each other. */
export interface LoggerObject {
  // Methods, not properties: their parameters may then be narrower, as those of people's own loggers are.
  /** For what only helps to find a fault. */
  debug?(first: unknown, second?: unknown): void;
  /** For what has happened. */
  info?(first: unknown, second?: unknown): void;
  /** For what may be wrong. */
  warn?(first: unknown, second?: unknown): void;
  /** For what has gone wrong. */
  error?(first: unknown, second?: unknown): void;
}

/** Where lines go: pino, console, winston and their like, or a function. */
export type Logger = LogFunction | LoggerObject;

const STANDS_IN: Readonly<Partial<Record<LogLevel, LogLevel>>> = { warn: "error", error: "warn" };

/** One function for every kind of logger. What the logger throws is thrown. */
export function logFunction(logger: Logger): LogFunction {
  if (typeof logger === "function") return logger;
  const fieldsFirst = takesFieldsFirst(logger);
  return (level, message, fields) => {
    const name = typeof logger[level] === "function" ? level : STANDS_IN[level];
    // Called on the logger: most need their `this`.
    if (name !== undefined && typeof logger[name] === "function") {
      if (fieldsFirst) logger[name](fields, message);
      else logger[name](message);
    }
  };
}

/** pino and bunyan make child loggers; so does winston, which takes the message first and has transports. */
function takesFieldsFirst(logger: LoggerObject): boolean {
  return typeof Reflect.get(logger, "child") === "function" && !("transports" in logger);
}
