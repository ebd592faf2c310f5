/** How `module.exports` looks to those who import it. */
import type { Interop } from "../../src/compile/compiled-module.js";
import { createNamespaceObject, type Read } from "./namespace.js";

/** Node names `module.exports` among the exports of CommonJS since version 23. */
const NAMES_MODULE_EXPORTS = Number.parseInt(process.versions.node, 10) >= 23;

/** Exports of a CommonJS file as `import` gives them: values of the moment when the file had been evaluated. */
export function commonJsReads(exports: unknown): Map<string, Read> {
  const reads = new Map<string, Read>();
  if (isObject(exports)) {
    for (const name of ownNames(exports)) {
      const value = readOrUndefined(exports, name);
      reads.set(name, () => value);
    }
  }
  reads.set("default", () => exports);
  if (NAMES_MODULE_EXPORTS) reads.set("module.exports", () => exports);
  return reads;
}

/** Exports of a JSON file. */
export function jsonReads(value: unknown): Map<string, Read> {
  return new Map([["default", () => value]]);
}

function ownNames(exports: object): string[] {
  const names = Object.keys(exports);
  if (Object.hasOwn(exports, "__esModule") && !names.includes("__esModule")) names.push("__esModule");
  return names;
}

/** Node swallows what a getter of `module.exports` throws, too. */
function readOrUndefined(object: object, name: string): unknown {
  try {
    return Reflect.get(object, name);
  } catch {
    return undefined;
  }
}

/**
 * What TypeScript with import syntax reads of a CommonJS target: live properties of `module.exports`, with the default
 * that its interop wants. `exports` is asked at each read, so the view is stable over reloads.
 */
export function interopView(exports: () => unknown, interop: Exclude<Interop, "none">): object {
  const read = (name: string | symbol): unknown => {
    const value = exports();
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

export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
