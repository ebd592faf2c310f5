/** Exports as compilers write them: a getter that gives what another module has, or a variable, and does nothing else. */
import { ownDescriptor, textOf } from "../../src/common/untouched.js";

/** `function () { return m[k]; }`, `get: () => name`. TypeScript, Babel, esbuild, Rollup. */
const PASSES_ON =
  /^(?:function\s*[\w$]*\s*\(\s*\)\s*\{\s*return\s+[\w$.]+(?:\[[\w$"'-]+\])?\s*;?\s*\}|\(\s*\)\s*=>\s*[\w$.]+(?:\[[\w$"'-]+\])?)$/;

/** The value of an own property; of a getter, only if that passes on. */
export function exportedValue(object: object, key: PropertyKey): unknown {
  const property = ownDescriptor(object, key);
  if (!property?.get) return property?.value;
  if (!PASSES_ON.test(textOf(property.get))) return undefined;
  try {
    return Reflect.apply(property.get, object, []);
  } catch {
    // A variable that is not initialised yet.
    return undefined;
  }
}
