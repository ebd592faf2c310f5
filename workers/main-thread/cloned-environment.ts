/**
 * `process.env` is a proxy, which V8 refuses to clone. Where a program passes it on (`structuredClone`, `postMessage`, the
 * `workerData` of a worker), what is cloned has a plain copy in its place, as it has of Node's own.
 */
import { types } from "node:util";
import { MessagePort } from "node:worker_threads";
import { type AnyFunction, replaceMethod } from "../ledger/replace.js";

const DATA_CLONE_ERR = 25;

/** To be called before the app runs. Whatever `new Worker()` and `worker.postMessage()` send goes through a port. */
export function letEnvironmentBeCloned(): void {
  replaceMethod(globalThis, "structuredClone", cloning);
  replaceMethod(MessagePort.prototype, "postMessage", cloning);
}

function cloning(original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args) {
    try {
      return Reflect.apply(original, this, args);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // V8 has written nothing and transferred nothing by then.
      const [value, ...rest] = args;
      if (isEnvironment(value)) return Reflect.apply(original, this, [{ ...process.env }, ...rest]);
      const putBack = putCopies(value);
      if (putBack.length === 0) throw error;
      try {
        return Reflect.apply(original, this, args);
      } finally {
        for (const put of putBack) put();
      }
    }
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof DOMException && error.code === DATA_CLONE_ERR;
}

function isEnvironment(value: unknown): boolean {
  return types.isProxy(value) && value === process.env;
}

/** Puts a copy wherever the environment stands, and gives the ways back. Runs no code of the app's. */
function putCopies(value: unknown): (() => void)[] {
  const putBack: (() => void)[] = [];
  const seen = new Set<unknown>([value]);
  for (const holder of seen) {
    if (typeof holder !== "object" || holder === null || types.isProxy(holder)) continue;
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
      const { value: held, writable } = descriptor as PropertyDescriptor;
      if (!isEnvironment(held)) {
        seen.add(held);
      } else if (writable) {
        Reflect.set(holder, key, { ...process.env });
        putBack.push(() => Reflect.set(holder, key, held));
      }
    }
  }
  return putBack;
}
