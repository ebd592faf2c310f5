/** Whether two texts of a file compile to the same code, so that nothing that was made from the one would be different. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { CompiledModule } from "./compiled-module.js";

/**
 * An edit of types alone is such a one. Comments are not: what is compiled keeps them, and its places would be others. What is
 * not mapped has the places of its text, so there only the same text will do.
 */
export function isSameCode(before: CompiledModule, next: CompiledModule): boolean {
  if (before.body !== next.body || !before.mapped) return before.hash === next.hash;
  return isDeepStrictEqual(withoutText(before), withoutText(next));
}

function withoutText({ hash: _hash, source: _source, ...rest }: CompiledModule): unknown {
  return rest;
}
