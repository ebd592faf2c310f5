/** Properties that modules share, as the app has them. */

/** On the getter of an accessor that stands for a plain property (standing-properties.ts): gives the value without a read. */
export const VALUE = Symbol("value");

/** A property as the app has it. */
export function sharedDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
  const property = Object.getOwnPropertyDescriptor(target, key);
  const held = property?.get && (property.get as { [VALUE]?: () => unknown })[VALUE];
  if (!property || !held) return property;
  const { enumerable = false } = property;
  return { value: held(), writable: true, enumerable, configurable: true };
}

/** A property of globalThis as the app has it. */
export function globalDescriptor(name: PropertyKey): PropertyDescriptor | undefined {
  return sharedDescriptor(globalThis, name);
}
