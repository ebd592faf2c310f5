/** Properties of globalThis as the app has them. */

/** On the getter of an accessor that stands for a plain property (own-globals.ts): gives the value without a read. */
export const VALUE = Symbol("value");

/** A property of globalThis as the app has it. */
export function globalDescriptor(name: PropertyKey): PropertyDescriptor | undefined {
  const property = Object.getOwnPropertyDescriptor(globalThis, name);
  const held = property?.get && (property.get as { [VALUE]?: () => unknown })[VALUE];
  if (!property || !held) return property;
  const { enumerable = false } = property;
  return { value: held(), writable: true, enumerable, configurable: true };
}
