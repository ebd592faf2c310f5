/**
 * Of a CommonJS file that is still being evaluated, `require()` gives what it has exported so far. Node warns of names that are
 * not there yet: the exports have a prototype that tells, until the evaluation is over.
 */
import type Module from "node:module";
import { isProxy } from "node:util/types";
import { isObject, ownValue } from "../../src/common/untouched.js";

function warn(name: string | symbol): undefined {
  process.emitWarning(`Accessing non-existent property '${String(name)}' of module exports inside circular dependency`);
}

const telling: object = new Proxy(
  {},
  {
    // Compilers ask for the mark.
    get: (target, name) => (name in target || name === "__esModule" ? Reflect.get(target, name) : warn(name)),
    getOwnPropertyDescriptor: (target, name) =>
      Object.hasOwn(target, name) || name === "__esModule"
        ? Reflect.getOwnPropertyDescriptor(target, name)
        : warn(name),
  },
);

/** What `require()` gives of it now. */
export function exportsSoFar(module: Module): unknown {
  const exports: unknown = ownValue(module, "exports");
  const isPlain = isObject(exports) && !isProxy(exports) && Object.getPrototypeOf(exports) === Object.prototype;
  if (isPlain && !Reflect.get(exports, "__esModule")) Object.setPrototypeOf(exports, telling);
  return exports;
}

export function evaluationOver(module: Module): void {
  const exports: unknown = ownValue(module, "exports");
  if (isObject(exports) && !isProxy(exports) && Object.getPrototypeOf(exports) === telling)
    Object.setPrototypeOf(exports, Object.prototype);
}
