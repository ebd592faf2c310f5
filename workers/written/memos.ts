/**
 * Modules that are kept although a variable of theirs was filled from what a purge takes away (src/common/compile/memos.ts):
 * `let mailer; export const get = () => (mailer ??= new Mailer())`. A fresh start would fill it from the new version.
 */
import type { EvaluationEffects } from "../../src/common/compile/evaluation-effects.js";
import type { Slots } from "./slots.js";

export interface MemosContext {
  /** Evaluated own files. */
  files(): Iterable<string>;
  effectsOf(file: string): EvaluationEffects | undefined;
  bindingsOf(file: string): Slots | undefined;
  /** The own file to which a specifier leads in a module. */
  targetOf(file: string, specifier: string): string | undefined;
  /** Own files that a file leads to, by whatever edge. */
  leadsTo(file: string): Iterable<string>;
}

/** Kept file to one of `purged` from which it has filled a variable, itself or by what leads there. */
export function memosOfPurged(purged: ReadonlySet<string>, context: MemosContext): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of context.files()) {
    if (purged.has(file)) continue;
    for (const { name, from } of context.effectsOf(file)?.memos ?? []) {
      const targets = from.flatMap((specifier) => context.targetOf(file, specifier) ?? []);
      const source = reachedFrom(targets, purged, context);
      if (source === undefined || !isFilled(name, context.bindingsOf(file) ?? [])) continue;
      found.set(file, source);
      break;
    }
  }
  return found;
}

function isFilled(name: string, bindings: Slots): boolean {
  for (let index = 0; index < bindings.length; index += 2) {
    if (bindings[index] !== name) continue;
    const value = bindings[index + 1];
    return value !== undefined && value !== null && value !== false;
  }
  return false;
}

function reachedFrom(
  files: readonly string[],
  purged: ReadonlySet<string>,
  { leadsTo }: MemosContext,
): string | undefined {
  // A Set is walked in insertion order, entries added on the way included.
  const reached = new Set(files);
  for (const file of reached) {
    if (purged.has(file)) return file;
    for (const target of leadsTo(file)) reached.add(target);
  }
  return undefined;
}
