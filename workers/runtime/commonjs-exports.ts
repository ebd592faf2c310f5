/** How `module.exports` looks to those who import it. */

import type { Interop } from "../../src/common/compile/compiled-module.js";
import { NODE_MAJOR } from "../../src/common/node-version.js";
import { enumerableNames, hasOwn, isObject, ownDescriptor, ownValue } from "../../src/common/untouched.js";
import { isPassingOn } from "../written/foreign.js";
import { NotEvaluated } from "./module-bindings.js";
import { createNamespaceObject, type Read } from "./namespace.js";

/** Node names `module.exports` among the exports of CommonJS since version 23. */
export const NAMES_MODULE_EXPORTS = NODE_MAJOR >= 23;

/**
 * Exports of a CommonJS file as `import` gives them: values of the moment when the file had been evaluated. A property
 * with a getter is read when somebody wants it, and not before: `get db() { return connect(); }`. `looking`: nothing of the
 * app may be run now. Of a proxy only the whole is known, as in Node, which asks for names that it has found in the text.
 */
export function commonJsReads(exports: unknown, looking: () => boolean): Map<string, Read> {
  const reads = new Map<string, Read>();
  if (isObject(exports)) {
    for (const name of ownNames(exports)) {
      const property = ownDescriptor(exports, name);
      const value: unknown = property?.value;
      reads.set(name, property?.get ? lazyRead(exports, name, looking) : () => value);
    }
  }
  reads.set("default", () => exports);
  if (NAMES_MODULE_EXPORTS) reads.set("module.exports", () => exports);
  return reads;
}

function lazyRead(exports: object, name: string, looking: () => boolean): Read {
  const read = (): unknown => {
    if (looking()) throw new NotEvaluated(name);
    return Reflect.get(exports, name);
  };
  return Object.assign(read, { runs: true } as const);
}

/** A getter that Node sees through, and asks as soon as the file is imported by an ES module: one that only passes on. */
export function passesOn(exports: unknown, name: string): boolean {
  const get = isObject(exports) ? ownDescriptor(exports, name)?.get : undefined;
  return get !== undefined && isPassingOn(get);
}

/** Node swallows what a getter of `module.exports` throws, too. */
export function readOrUndefined(exports: unknown, name: string): unknown {
  try {
    return isObject(exports) && Object.hasOwn(exports, name) ? Reflect.get(exports, name) : undefined;
  } catch {
    return undefined;
  }
}

/** Exports of a JSON file. */
export function jsonReads(value: unknown): Map<string, Read> {
  return new Map([["default", () => value]]);
}

function ownNames(exports: object): string[] {
  const names = enumerableNames(exports);
  if (hasOwn(exports, "__esModule") && !names.includes("__esModule")) names.push("__esModule");
  return names;
}

/**
 * What TypeScript with import syntax reads of a CommonJS target: live properties of `module.exports`, with the default
 * that its interop wants. `exports` is asked at each read, so the view is stable over reloads.
 */
export function interopView(
  exports: () => unknown,
  interop: Exclude<Interop, "none">,
  looking: () => boolean = () => false,
): object {
  const read = (name: string | symbol): unknown => {
    const value = exports();
    if (looking()) return isObject(value) ? ownValue(value, name) : undefined;
    if (name === "default" && interop === "esModule" && !isMarked(value)) return value;
    return value === undefined || value === null ? undefined : Reflect.get(Object(value) as object, name, value);
  };
  return new Proxy(createNamespaceObject(), {
    get: (_, name) => read(name),
    has: (_, name) => name === "default" || (isObject(exports()) && Reflect.has(exports() as object, name)),
  });
}

/** `import * as x` as a value under CommonJS interop: tsc's `__importStar`, or `module.exports` itself. */
export function interopStar(exports: unknown, interop: Exclude<Interop, "none">): unknown {
  if (interop === "callable" || isMarked(exports)) return exports;
  const star = {};
  if (isObject(exports)) {
    for (const name of Object.keys(exports)) {
      if (name !== "default")
        Object.defineProperty(star, name, { enumerable: true, get: () => Reflect.get(exports, name) });
    }
  }
  return Object.defineProperty(star, "default", { enumerable: true, value: exports });
}

function isMarked(exports: unknown): boolean {
  return isObject(exports) && Boolean(Reflect.get(exports, "__esModule"));
}
