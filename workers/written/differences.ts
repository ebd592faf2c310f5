/** Compares what an object held with what it holds now. */
import { ACCESSOR, type Slots, UNINITIALISED } from "./slots.js";

/**
 * The first name whose value is another one, or that has come or gone; undefined when nothing was written. `isLazy`: a
 * value that was missing and is there now, and that is no function, was worked out and kept, not written by anybody else.
 * `mayTick`: other things have run in between, and a number that is another one is taken for a count of theirs.
 */
export function firstDifference(
  before: Slots,
  after: Slots,
  isLazy: () => boolean,
  mayTick: boolean,
): { name: unknown } | undefined {
  if (sameSlots(before, after)) return undefined;
  const lazy = isLazy();
  const earlier = byName(before);
  const later = byName(after);
  for (const [name, value] of later) {
    const old = earlier.get(name);
    if (Object.is(old, value) && earlier.has(name)) continue;
    // A getter that has replaced itself by its value, a binding whose own declaration has run.
    if (old === ACCESSOR || old === UNINITIALISED) continue;
    if (mayTick && typeof old === "number" && typeof value === "number" && name !== "length" && name !== "size")
      continue;
    if (lazy && (old === undefined || old === null) && typeof value !== "function") continue;
    return { name };
  }
  for (const name of earlier.keys()) if (!later.has(name)) return { name };
  // The same entries in another order.
  const order = [...earlier.keys()];
  const moved = [...later.keys()].findIndex((name, index) => order.length === later.size && order[index] !== name);
  return moved < 0 || lazy ? undefined : { name: order[moved] };
}

export function sameSlots(before: Slots, after: Slots): boolean {
  if (before.length !== after.length) return false;
  for (let index = 0; index < before.length; index++) if (!Object.is(before[index], after[index])) return false;
  return true;
}

function byName(slots: Slots): Map<unknown, unknown> {
  const values = new Map<unknown, unknown>();
  for (let index = 0; index < slots.length; index += 2) values.set(slots[index], slots[index + 1]);
  return values;
}
