/** Environment variables that modules set or delete, themselves or through dotenv: put back at purge. */
import type { EnvironmentTraps } from "../main-thread/environment-view.js";
import type { Observer } from "../runtime/observer.js";
import type { EnvironmentReads } from "./environment-reads.js";
import type { MayHaveUsed, PropertyChange, PropertyLayers } from "./property-layers.js";
import { type AnyFunction, replaceMethod, replaceValue } from "./replace.js";

export interface EnvironmentOptions {
  readonly observer: Observer;
  readonly layers: PropertyLayers;
  /** What `process.env` is a proxy of, if it is one: one proxy in the place of both reads as fast as that. */
  readonly traps?: EnvironmentTraps | undefined;
  /** Learns how to watch which variables are read. */
  readonly reads?: EnvironmentReads | undefined;
}

/** What a change of a variable is called, and whether a module was evaluated with the variable. */
function about(key: string | symbol): Pick<PropertyChange, "what" | "mayHaveUsed" | "isExact"> {
  const name = String(key);
  const mayHaveUsed: MayHaveUsed = ({ variables }) => variables.has(name) || variables.has("*");
  return { what: `process.env.${name}`, mayHaveUsed, isExact: true };
}

/** Returns the way back. Reading a variable costs what it did before. */
export function installEnvironment(options: EnvironmentOptions): () => void {
  const { observer, layers } = options;
  const variables = process.env;
  const change = <Result>(key: string | symbol, run: () => Result): Result => {
    const owner = observer.active ? observer.owner : undefined;
    if (owner === undefined) return run();
    const before = Object.getOwnPropertyDescriptor(variables, key);
    const result = run();
    const after = Object.getOwnPropertyDescriptor(variables, key);
    layers.changed({ owner, target: variables, key, before, after, ...about(key) });
    return result;
  };
  const handler: ProxyHandler<NodeJS.ProcessEnv> = {
    ...options.traps?.handler,
    set: (_, key, value) => change(key, () => Reflect.set(variables, key, value)),
    defineProperty: (_, key, descriptor) => change(key, () => Reflect.defineProperty(variables, key, descriptor)),
    deleteProperty: (_, key) => change(key, () => Reflect.deleteProperty(variables, key)),
  };
  options.reads?.attach(handler);
  const watched = new Proxy(options.traps?.target ?? variables, handler);
  const restoreVariables = replaceValue(process, "env", watched);
  // It writes below the object. What it sets has no value before: it overwrites none.
  const restoreLoading = replaceMethod(process, "loadEnvFile", (original) => {
    const load: AnyFunction = function (this: unknown, ...args) {
      const owner = observer.active ? observer.owner : undefined;
      if (owner === undefined) return Reflect.apply(original, this, args);
      const known = new Set(Object.keys(variables));
      const result = Reflect.apply(original, this, args);
      for (const key of Object.keys(variables)) {
        const after = Object.getOwnPropertyDescriptor(variables, key);
        if (!known.has(key)) layers.changed({ owner, target: variables, key, before: undefined, after, ...about(key) });
      }
      return result;
    };
    return load;
  });
  options.reads?.attribute((name) => {
    const { reader } = observer;
    if (!reader) return;
    reader.variables.add(name);
    const owner = layers.ownerOf(variables, name);
    if (owner && !owner.isPreload) observer.readGlobal(owner.file);
  });
  return () => {
    restoreLoading();
    restoreVariables();
  };
}
