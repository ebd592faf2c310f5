/** Functions behind a module's bindings that may keep state in scopes of their own, and what they keep. */

import { isProxy } from "../../src/common/untouched.js";
import { sameSlots } from "./differences.js";
import { type InnerScopes, innerScopesOf } from "./inner-scopes.js";
import type { Slots } from "./slots.js";

/** A function, and what it kept at the last look. */
export interface Closure extends InnerScopes {
  readonly made: object;
}

export interface ClosureSearch {
  /** Names of functions that keep nothing. */
  readonly plain: readonly unknown[];
  /** Functions that are looked at. */
  readonly limit: number;
  /** Told how many functions were looked at. */
  looked(count: number): void;
  /** Whether a function is the app's own, or was made for it. */
  isPart(made: object): boolean;
  /** What an object holds, when functions that it holds may be a part of it; undefined: they are not looked for. */
  membersOf(object: object): Slots | undefined;
}

/** A binding, `module.exports`, an object with methods, and one that groups such objects. */
const DEPTH = 3;

interface Candidate {
  readonly made: object;
  /** Where it was found. */
  readonly holder: Slots;
}

/** Closures behind `bindings`, and behind what those keep, once more. */
export function closuresOf(bindings: Slots, search: ClosureSearch): Closure[] {
  const found: Closure[] = [];
  const seen = new Set<object>();
  let roots = bindings;
  for (let round = 0; round < 2 && found.length < search.limit; round++) {
    const candidates = functionsBehind(roots, { ...search, limit: search.limit - found.length }, seen);
    search.looked(candidates.length);
    const closures = withoutRepetitions(lookAgain(candidates));
    found.push(...closures.map(({ made, variables, isOwn }) => ({ made, variables, isOwn })));
    roots = closures.flatMap(({ variables, isOwn }) => (isOwn ? variables : []));
  }
  return found;
}

/** What the same functions keep now. Those that keep nothing are left out. */
export function lookAgain<C extends { readonly made: object }>(closures: readonly C[]): (C & InnerScopes)[] {
  const scopes = innerScopesOf(closures.map(({ made }) => made));
  return closures.flatMap((closure, index) => {
    const now = scopes[index];
    return now && now.variables.length > 0 ? [{ ...closure, ...now }] : [];
  });
}

/** The methods of one object mostly share their scopes: one of them is enough. */
function withoutRepetitions<C extends Candidate & InnerScopes>(closures: readonly C[]): C[] {
  return closures.filter(
    (closure, index) =>
      !closures
        .slice(0, index)
        .some((earlier) => earlier.holder === closure.holder && sameSlots(earlier.variables, closure.variables)),
  );
}

function functionsBehind(roots: Slots, search: ClosureSearch, seen: Set<object>): Candidate[] {
  const functions: Candidate[] = [];
  let level: Slots[] = [roots];
  for (let depth = 0; depth < DEPTH && level.length > 0; depth++) {
    const now = level;
    level = [];
    for (const holder of now) {
      for (let index = 1; index < holder.length; index += 2) {
        // Methods of classes stand where their classes do, mostly at the top.
        const made = holder[index - 1] === "prototype" ? undefined : holder[index];
        if ((typeof made !== "object" || made === null) && typeof made !== "function") continue;
        if (seen.has(made)) continue;
        seen.add(made);
        // A proxy's traps are the app's code.
        if (isProxy(made)) continue;
        const members = search.membersOf(made);
        if (members) level.push(members);
        if (typeof made !== "function" || search.plain.includes(holder[index - 1]) || !search.isPart(made)) continue;
        functions.push({ made, holder });
        if (functions.length === search.limit) return functions;
      }
    }
  }
  return functions;
}
