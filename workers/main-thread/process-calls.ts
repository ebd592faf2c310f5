/** Functions of `process` that Node refuses in a worker thread: the main thread carries them out while this one sleeps. */
import { PROCESS_CALL_MS } from "../../src/common/deadlines.js";
import { UnreloaderError } from "../../src/common/errors.js";
import {
  awaitOutcome,
  PROCESS_CALLS,
  type ProcessCall,
  type ProcessCallName,
  type ThrownError,
} from "../../src/common/protocol/process-calls.js";
import { replaceMethod } from "../ledger/replace.js";
import { nodeError } from "../runtime/module-errors.js";
import { RECEIVED_OBJECT, received } from "./received.js";

type Send = (call: ProcessCall) => void;
type AnyFunction = (...args: unknown[]) => unknown;

const KINDS = { Error, TypeError, RangeError } as const;
/** What stands for an argument that cannot be sent. */
const STAND_IN = {};

/** `title`: of the process as it was started. */
export function installProcessCalls(title: string, send: Send): void {
  for (const name of PROCESS_CALLS) {
    if (name === "title") shareTitle(title, send);
    // Windows has no user ids.
    else if (typeof Reflect.get(process, name) === "function") replace(name, send);
  }
  refuseExecve();
}

/** It would put another program in the place of the supervisor, with its port, and of the app's newer code. */
function refuseExecve(): void {
  const refuse = () => {
    const remedy = "start the app with --no-reload, or the program by child_process.spawn()";
    throw new UnreloaderError("ERR_UNRELOADER_EXECVE", `process.execve would replace the supervisor: ${remedy}`);
  };
  // Node before 22.15 has none; looking at it warns of nothing.
  replaceMethod(process, "execve", () => refuse);
}

function replace(name: Exclude<ProcessCallName, "title">, send: Send): void {
  const { [name]: original } = process as unknown as Record<string, AnyFunction>;
  const method: AnyFunction = (...args) => {
    // Reading is allowed.
    if (name === "umask" && args[0] === undefined) return original?.();
    return call({ name, args }, method, send);
  };
  Object.defineProperties(method, { name: { value: nameOf(name) }, length: { value: name === "initgroups" ? 2 : 1 } });
  Reflect.set(process, name, method);
}

/** As Node's own in a main thread are called. */
function nameOf(name: ProcessCallName): string {
  return name === "umask" ? "wrappedUmask" : name === "setgroups" || name === "initgroups" ? name : "";
}

/** In a worker thread setting it does nothing. */
function shareTitle(started: string, send: Send): void {
  let title = started;
  const set = (value: unknown): void => {
    title = String(call({ name: "title", args: [`${value}`] }, set, send) ?? value);
  };
  Object.defineProperty(process, "title", { get: () => title, set, enumerable: true, configurable: true });
}

function call({ name, args }: Omit<ProcessCall, "outcome">, caller: AnyFunction, send: Send): unknown {
  const outcome = awaitOutcome({ name, args: args.map(sendable) }, PROCESS_CALL_MS, send);
  if (outcome === undefined) {
    throw nodeError(
      "ERR_UNRELOADER_PROCESS_CALL",
      `process.${name}: the main thread has not done it within ${PROCESS_CALL_MS / 1000} s; the process is as it was, try again`,
    );
  }
  if (outcome.type === "returned") return outcome.value;
  throw revived(outcome.error, args, caller);
}

/** Only what is no object can be sent as it is; a list may be. */
function sendable(argument: unknown): unknown {
  if (Array.isArray(argument)) return argument.map(sendable);
  const isOther = (typeof argument === "object" && argument !== null) || typeof argument === "function";
  return isOther || typeof argument === "symbol" ? STAND_IN : argument;
}

function revived(
  { kind, message, hasCodeInStack, properties }: ThrownError,
  args: readonly unknown[],
  caller: AnyFunction,
): Error {
  const wrong = args.flat().find((argument) => sendable(argument) === STAND_IN);
  const text = wrong === undefined ? message : message.replace(RECEIVED_OBJECT, () => received(wrong));
  if (!hasCodeInStack) {
    const error = Object.assign(new KINDS[kind](text), properties);
    Error.captureStackTrace(error, caller);
    return error;
  }
  return Object.assign(nodeError(String(properties.code), text, KINDS[kind]), properties);
}
