/** The objects that can be reached from a module's bindings, nearest first, to a limit. */
import type { Slots } from "./slots.js";

export interface Bounds {
  /** Steps from a binding. */
  readonly depth: number;
  /** Objects that hold something. */
  readonly objects: number;
}

/** An object on the way, and where it was found: for people. */
export interface Reached {
  readonly object: object;
  readonly path: string;
}

/** `slots` is asked once for each object; undefined: it holds nothing, and nothing is behind it. */
export function reach(roots: Slots, bounds: Bounds, slots: (object: object) => Slots | undefined): Reached[] {
  const reached: Reached[] = [];
  const seen = new Set<object>();
  let level: Reached[] = [];
  const note = (from: Slots, path: string): void => {
    for (let index = 1; index < from.length; index += 2) {
      const value = from[index];
      if ((typeof value !== "object" || value === null) && typeof value !== "function") continue;
      if (seen.has(value)) continue;
      seen.add(value);
      level.push({ object: value, path: join(path, from[index - 1]) });
    }
  };
  note(roots, "");
  for (let depth = 0; depth < bounds.depth && level.length > 0; depth++) {
    const now = level;
    level = [];
    for (const at of now) {
      const held = slots(at.object);
      if (!held) continue;
      if (reached.length === bounds.objects) return reached;
      reached.push(at);
      note(held, at.path);
    }
  }
  return reached;
}

/** `stack.0`; names that are objects show their kind only. */
export function join(path: string, name: unknown): string {
  const isShown = typeof name === "string" || typeof name === "number" || typeof name === "symbol";
  const shown = isShown ? String(name) : `[${typeof name}]`;
  return path === "" ? shown : `${path}.${shown}`;
}
