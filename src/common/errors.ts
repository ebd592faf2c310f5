/**
 * Every error that unreloader raises, with its stable code. docs/errors.md lists the codes; a test compares the two lists.
 * A message says what failed (naming the value), what still works, and what to do next.
 */
import { inspect } from "node:util";
import type { SourceLocation } from "./protocol/serialized-error.js";

/** What has gone wrong: docs/errors.md says what to do about each. */
export type ErrorCode =
  | "ERR_UNRELOADER_OPTION"
  | "ERR_UNRELOADER_ENTRY"
  | "ERR_UNRELOADER_COMPILE"
  | "ERR_UNRELOADER_RESOLVE"
  | "ERR_UNRELOADER_LINK"
  | "ERR_UNRELOADER_NO_APP"
  | "ERR_UNRELOADER_WORKER_EXIT"
  | "ERR_UNRELOADER_BLOCKED"
  | "ERR_UNRELOADER_STUCK"
  | "ERR_UNRELOADER_HELD"
  | "ERR_UNRELOADER_CLOSED"
  | "ERR_UNRELOADER_NO_SUPERVISOR"
  | "ERR_UNRELOADER_LISTENING"
  | "ERR_UNRELOADER_BODY_READ"
  | "ERR_UNRELOADER_CALL"
  | "ERR_UNRELOADER_CLONE"
  | "ERR_UNRELOADER_ARGUMENT"
  | "ERR_UNRELOADER_PROCESS_CALL"
  | "ERR_UNRELOADER_EXECVE"
  | "ERR_UNRELOADER_SERVER_SENT"
  | "ERR_UNRELOADER_HANDLE_SENT"
  | "ERR_UNRELOADER_TEMP_FOLDER";

/** What went wrong, in words, whatever was thrown. */
export function errorText(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  // An error of a thread that cannot be cloned comes without a prototype: it has no text by itself.
  return typeof thrown === "object" ? inspect(thrown) : String(thrown);
}

/** What unreloader throws; `code` never changes its meaning. */
export class UnreloaderError extends Error {
  /** Listed in docs/errors.md. */
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** An option, flag or configuration key has a value that does not fit. */
export class OptionError extends UnreloaderError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_UNRELOADER_OPTION", message, options);
  }
}

/** No supervisor runs that could be asked. */
export class NoSupervisorError extends UnreloaderError {
  constructor(message: string) {
    super("ERR_UNRELOADER_NO_SUPERVISOR", message);
  }
}

/** `unreloader/app`, `import.meta.hot`, `module.hot` or a method of the supervisor was called with what does not fit. */
export class ArgumentError extends UnreloaderError {
  constructor(message: string) {
    super("ERR_UNRELOADER_ARGUMENT", message);
  }
}

/** The entry file cannot be found. */
export class EntryError extends UnreloaderError {
  constructor(message: string) {
    super("ERR_UNRELOADER_ENTRY", message);
  }
}

/** An error with a place in the user's source. `frame` is the lines around it with a caret. */
export class SourceError extends UnreloaderError {
  readonly location: SourceLocation | undefined;
  readonly frame: string | undefined;
  constructor(code: ErrorCode, message: string, location?: SourceLocation, frame?: string, options?: ErrorOptions) {
    super(code, message, options);
    this.location = location;
    this.frame = frame;
  }
}

/** The text of a file does not parse or uses syntax that cannot be compiled. */
export class CompileError extends SourceError {
  constructor(message: string, location?: SourceLocation, frame?: string, options?: ErrorOptions) {
    super("ERR_UNRELOADER_COMPILE", message, location, frame, options);
  }
}

/** A specifier leads nowhere. `nodeCode` is the code Node gives: ERR_MODULE_NOT_FOUND, MODULE_NOT_FOUND, ... */
export class ResolveError extends SourceError {
  readonly specifier: string;
  readonly importer: string;
  readonly nodeCode: string;
  /** To which the specifier leads, where Node tells it. */
  readonly url: string | undefined;
  constructor(
    message: string,
    specifier: string,
    importer: string,
    nodeCode: string,
    location?: SourceLocation,
    frame?: string,
    url?: string,
  ) {
    super("ERR_UNRELOADER_RESOLVE", message, location, frame);
    this.specifier = specifier;
    this.importer = importer;
    this.nodeCode = nodeCode;
    this.url = url;
  }
}

/** A name is imported that the target does not export. */
export class LinkError extends SourceError {
  constructor(message: string, location?: SourceLocation, frame?: string) {
    super("ERR_UNRELOADER_LINK", message, location, frame);
  }
}
