/** The classes of a file when somebody names them, in place of those that were found. */
import { globalDescriptor } from "../ledger/global-descriptor.js";
import type { KnownClass } from "./purge-class.js";

/**
 * Those of `found` that have one of the names; a name that none has means what stands under it on globalThis, if that is
 * a function. Without names: what was found.
 */
export function namedClasses(
  found: readonly KnownClass[],
  names: readonly string[] | undefined,
): readonly KnownClass[] {
  if (!names) return found;
  const named = found.filter(({ name }) => names.includes(name));
  for (const name of names) {
    const target: unknown = globalDescriptor(name)?.value;
    if (typeof target !== "function" || named.some((known) => known.name === name)) continue;
    named.push({ target, name, reader: undefined });
  }
  return named;
}
