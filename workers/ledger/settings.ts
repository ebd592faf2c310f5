/** Settings of Node's that have accessors or functions to set them, as the properties of one object for each module. */
import { EventEmitter } from "node:events";

interface Setting {
  read(): unknown;
  write(value: unknown): void;
}

type Module = Readonly<Record<string, unknown>>;

/** Of the modules, and of `process`, those that have settings. */
const SETTINGS: Readonly<Record<string, (module: Module) => Readonly<Record<string, Setting>>>> = {
  process: () => ({ exitCode: property(process, "exitCode"), title: property(process, "title") }),
  events: () => ({ defaultMaxListeners: property(EventEmitter, "defaultMaxListeners") }),
  http: (module) => ({ globalAgent: property(module, "globalAgent"), ...limitsOf(module) }),
  https: (module) => limitsOf(module),
  dns: (module) => ({ defaultResultOrder: pair(module, "getDefaultResultOrder", "setDefaultResultOrder") }),
  net: (module) => ({
    defaultAutoSelectFamily: pair(module, "getDefaultAutoSelectFamily", "setDefaultAutoSelectFamily"),
    defaultAutoSelectFamilyAttemptTimeout: pair(
      module,
      "getDefaultAutoSelectFamilyAttemptTimeout",
      "setDefaultAutoSelectFamilyAttemptTimeout",
    ),
  }),
  stream: (module) => ({
    defaultHighWaterMark: pair(module, "getDefaultHighWaterMark", "setDefaultHighWaterMark", [false]),
    defaultObjectHighWaterMark: pair(module, "getDefaultHighWaterMark", "setDefaultHighWaterMark", [true]),
  }),
};

/**
 * An object like any other: what its properties are now, and what they are set to, are the settings of the module.
 * Undefined for modules without.
 */
export function settingsOf(name: string, module: object): object | undefined {
  const settings = SETTINGS[name]?.(module as Module);
  if (!settings) return undefined;
  const handler: ProxyHandler<object> = {
    ownKeys: () => Object.keys(settings),
    getOwnPropertyDescriptor: (_, key) => {
      const setting = settings[String(key)];
      return setting && { value: setting.read(), configurable: true, enumerable: true, writable: true };
    },
    defineProperty: (_, key, { value }) => {
      settings[String(key)]?.write(value);
      return true;
    },
  };
  return new Proxy({}, handler);
}

function property(object: object, key: string): Setting {
  return { read: () => Reflect.get(object, key), write: (value) => void Reflect.set(object, key, value) };
}

/** Of the agent that there is now. */
function limitsOf(module: Module): Readonly<Record<string, Setting>> {
  const names = ["maxSockets", "maxFreeSockets", "maxTotalSockets"];
  const agent = (): object => module.globalAgent as object;
  const limit = (name: string): Setting => ({
    read: () => Reflect.get(agent(), name),
    write: (value) => void Reflect.set(agent(), name, value),
  });
  return Object.fromEntries(names.map((name) => [name, limit(name)]));
}

/** `args` come before the value. */
function pair(module: Module, read: string, write: string, args: readonly unknown[] = []): Setting {
  const call = (name: string, given: readonly unknown[]): unknown => {
    const found = module[name];
    return typeof found === "function" ? Reflect.apply(found, undefined, given) : undefined;
  };
  return { read: () => call(read, args), write: (value) => void call(write, [...args, value]) };
}
