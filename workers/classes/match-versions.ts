/** Decides which class of a file's new version takes over from which class of the old one. Pure. */
import type { KnownClass } from "./purge-class.js";

export interface VersionMatch<Old extends KnownClass> {
  readonly pairs: readonly { readonly old: Old; readonly next: KnownClass }[];
  /** The new version does not define them any more, as far as a name can tell. */
  readonly unmatched: readonly Old[];
  /** Names that several classes have, in another number than before: which is which cannot be told. */
  readonly ambiguous: readonly Old[];
}

/**
 * By name. Classes of one name go by the order in which they were defined, provided that they are as many as before; that
 * says too little of anonymous ones, of which there must be one only (`module.exports = class {}`).
 */
export function matchVersions<Old extends KnownClass>(
  olds: readonly Old[],
  nexts: readonly KnownClass[],
): VersionMatch<Old> {
  const pairs: { old: Old; next: KnownClass }[] = [];
  const unmatched: Old[] = [];
  const ambiguous: Old[] = [];
  const named = byName(nexts);
  for (const [name, before] of byName(olds)) {
    const after = named.get(name) ?? [];
    if (after.length === 0 || (name === "" && before.length + after.length > 2)) unmatched.push(...before);
    else if (after.length !== before.length) ambiguous.push(...before);
    else
      for (const [k, old] of before.entries()) {
        const next = after[k];
        if (next) pairs.push({ old, next });
      }
  }
  return { pairs, unmatched, ambiguous };
}

function byName<Known extends KnownClass>(classes: readonly Known[]): Map<string, Known[]> {
  const named = new Map<string, Known[]>();
  for (const known of classes) {
    const same = named.get(known.name);
    if (same) same.push(known);
    else named.set(known.name, [known]);
  }
  return named;
}
