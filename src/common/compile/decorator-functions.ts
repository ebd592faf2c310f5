/**
 * What compiled decorators and their metadata call: the functions are copied as text into each module that needs
 * them (nothing global), so they may use nothing but their parameters and globals.
 */

type Decorator = (target: unknown, key?: PropertyKey, third?: unknown) => unknown;
/** Metadata without a library that stores it decorates nothing. */
type Decorators = readonly (Decorator | undefined)[];

interface ReflectMetadata {
  decorate?: (decorators: Decorators, target: unknown, key?: PropertyKey, descriptor?: unknown) => unknown;
  metadata?: (key: string, value: unknown) => Decorator;
}

const decoratorFunctions = {
  /** As tsc's __decorate: last decorator first; `descriptor` null means "look it up", undefined "a field". */
  decorate(decorators: Decorators, target: object, key?: PropertyKey, descriptor?: PropertyDescriptor | null): unknown {
    const { decorate } = Reflect as ReflectMetadata;
    if (key === undefined) {
      if (typeof decorate === "function") return decorate(decorators, target);
      let decorated: unknown = target;
      for (const decorator of decorators.toReversed()) decorated = decorator?.(decorated) || decorated;
      return decorated;
    }
    let result: unknown = descriptor === null ? Object.getOwnPropertyDescriptor(target, key) : descriptor;
    if (typeof decorate === "function") result = decorate(decorators, target, key, result);
    else for (const decorator of decorators.toReversed()) result = decorator?.(target, key, result) || result;
    if (result) Object.defineProperty(target, key, result as PropertyDescriptor);
    return result;
  },

  decorateParam(index: number, decorator: Decorator): Decorator {
    return (target, key) => decorator(target, key, index);
  },

  decorateMetadata(key: string, value: unknown): Decorator | undefined {
    const { metadata } = Reflect as ReflectMetadata;
    if (typeof metadata !== "function") return undefined;
    // For a type that is an imported enum the transformer can only write the enum itself; tsc writes what it is made of.
    const runtimeType = (type: unknown): unknown => {
      if (typeof type !== "object" || type === null)
        return type === undefined || typeof type === "function" ? type : Object;
      const kinds = new Set<string>();
      for (const [name, member] of Object.entries(type)) {
        if (String(Number(name)) !== name) kinds.add(typeof member);
      }
      if (kinds.size !== 1) return Object;
      return kinds.has("number") ? Number : kinds.has("string") ? String : Object;
    };
    return metadata(key, Array.isArray(value) ? value.map(runtimeType) : runtimeType(value));
  },

  /** A type in metadata; `Object`, as in tsc's output, when a cycle of imports has not defined it yet. */
  type(read: () => unknown): unknown {
    try {
      return read() ?? Object;
    } catch (error) {
      if (error instanceof ReferenceError) return Object;
      throw error;
    }
  },
};

/** The functions on one line, as the declaration that goes in front of a module's own text. */
export const decoratorFunctionsText = `const babelHelpers = { ${Object.values(decoratorFunctions)
  .map((decorate) =>
    decorate
      .toString()
      .replace(/^\s*\/\/.*$/gm, "")
      .replace(/\s+/g, " "),
  )
  .join(", ")} };`;
