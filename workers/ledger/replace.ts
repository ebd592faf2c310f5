/** Puts functions of the ledger's own in the place of Node's, so that nobody notices but the ledger. */

/** Any function or method. */
export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** What stands in the place of a function of a library or of Node's -> that function; there may be several on top of each other. */
const originals = new WeakMap<object, object>();

/** Makes it known that one function of ours stands for another one. */
export function standsFor(replacement: object, original: object): void {
  originals.set(replacement, original);
}

/** What a library or Node has made itself, below all that stands in its place. */
export function belowOurs(made: object): object {
  let below = made;
  for (let next = originals.get(made); next; next = originals.get(below)) below = next;
  return below;
}

/** Replaces a method by what `wrap` makes of it; own properties, name and length included. Returns the way back. */
export function replaceMethod(target: object, name: string, wrap: (original: AnyFunction) => AnyFunction): () => void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== "function") return () => {};
  const wrapped = disguised(wrap(original as AnyFunction), original as AnyFunction);
  standsFor(wrapped, original);
  return replaceValue(target, name, wrapped);
}

/** Puts a value in a property, as it was declared. Undone only while nobody else has changed it. */
export function replaceValue(target: object, name: string, value: unknown): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name);
  const { enumerable = true, configurable = true, writable = true } = descriptor ?? {};
  Object.defineProperty(target, name, { value, enumerable, configurable, writable });
  return () => {
    if (Object.getOwnPropertyDescriptor(target, name)?.value !== value) return;
    if (descriptor) Object.defineProperty(target, name, descriptor);
    else Reflect.deleteProperty(target, name);
  };
}

/** Gives a function the name, the length and all own properties of another. */
function disguised(wrapped: AnyFunction, original: AnyFunction): AnyFunction {
  return Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
}
