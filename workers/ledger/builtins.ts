/** What modules patch: prototypes and functions of the language, and of Node's modules that are loaded. */
import { isObject, isProxy, ownKeys, ownValue } from "../../src/common/untouched.js";
import { settingsOf } from "./settings.js";
import { WatchedObjects } from "./watched-objects.js";

const LANGUAGE = [
  ..."Array ArrayBuffer BigInt Boolean Buffer Date Error Function Map Number Object Promise RegExp Set String Symbol".split(
    " ",
  ),
  ..."Uint8Array URL URLSearchParams WeakMap WeakSet Headers Request Response EventTarget AbortController".split(" "),
];
const OBJECTS = ["Math", "JSON", "Reflect", "Intl", "Atomics", "console", "process", "performance"];
const MODULES = [
  ..."assert async_hooks child_process cluster crypto dgram dns events fs http http2 https module net os path".split(
    " ",
  ),
  ..."perf_hooks querystring readline stream timers tls url util v8 vm worker_threads zlib".split(" "),
];

/** Node's lazily loaded globals: looked at only when the app has used them. */
const LAZY = new Set(["Headers", "Request", "Response"]);

/**
 * Whether a module's text looks as if it patched something: the exact comparison takes 0.3 ms, too long for every module
 * of a cold start.
 */
export function mayPatch(source: string): boolean {
  if (PATCHING.test(source) || SUSPICIOUS_WORD.test(source)) return true;
  for (const [, name = ""] of source.matchAll(ASSIGNED_MODULE)) {
    // `url.port = 1` is about a module only where the module is imported.
    if (new RegExp(`["'\`](?:node:)?${name.toLowerCase()}["'\`/]`).test(source)) return true;
  }
  return false;
}

const ASSIGNED = String.raw`\s*(?:\.\s*\w+|\[[^\]\n]+\])\s*(?:[-+*/%|&?]{0,2})=(?![=>])`;
/** As written: `response.statusCode = 404` is not about `Response`. */
const OWNERS = ["globalThis", "global", ...LANGUAGE, ...OBJECTS].join("|");
const PATCHING = new RegExp(
  [
    String.raw`\bprototype\b|\b__proto__\b|\b__define[GS]etter__\b|\bReflect\.(?:set|deleteProperty)\b`,
    // Not what compilers write first into a CommonJS module.
    String.raw`\bdefinePropert(?!\w+\s*\(\s*(?:module\.)?exports\b)`,
    String.raw`\b(?:defaultOptions|defaultMaxListeners|setMaxListeners|globalAgent|setDefault[A-Z]\w+)\b`,
    String.raw`\b(?:${OWNERS})${ASSIGNED}`,
    String.raw`\bObject\.assign\s*\(\s*(?:${[OWNERS, ...MODULES].join("|")})\b`,
    String.raw`\bdelete\s+(?:${[OWNERS, ...MODULES].join("|")})\b`,
    String.raw`\brequire\s*\([^)]*\)\s*\.\s*\w+(?:\s*\.\s*\w+)*\s*=(?![=>])`,
  ].join("|"),
);
/** Not `router.patch(...)`. */
const SUSPICIOUS_WORD = /\b(?:stub|mock|shim|polyfill|instrument|monkey)|(?<!\.)\bpatch/i;
/** Under any spelling, as in `const HTTP = require("http")`. */
const ASSIGNED_MODULE = new RegExp(String.raw`\b(?!module\s*\.\s*exports\b)(${MODULES.join("|")})${ASSIGNED}`, "gi");

/** Properties of a package's exports, and in the objects among them: more is a table of data. */
const EXPORTS = 300;

export class Builtins {
  readonly objects = new WatchedObjects();
  /** Exports of packages that are not looked at yet, and those that have been found already. */
  readonly #packages = new Set<object>();
  readonly #knownPackages = new WeakSet<object>();
  readonly #modules = new Set<string>();
  /** Functions, prototypes and objects of the language, and such as it, and classes of packages: each with the name of the global, if it is one. */
  readonly #ofLanguage = new Map<object, string | undefined>();

  /** Whether who uses its properties can be seen: not so with Node's modules, which ES modules have bindings of. */
  isSeen(target: object): boolean {
    return this.#ofLanguage.has(target);
  }

  /** The global that is this object of the language. */
  nameOf(target: object): string | undefined {
    return this.#ofLanguage.get(target);
  }

  /** An own module has got the exports of a package: its classes may be patched. */
  addPackage(exports: unknown): void {
    if (!isObject(exports) || this.#knownPackages.has(exports)) return;
    this.#knownPackages.add(exports);
    this.#packages.add(exports);
  }

  /** Adds what has been loaded by now. */
  update(): void {
    for (const exports of this.#packages) this.#addClassesOf(exports);
    this.#packages.clear();
    if (this.#modules.size === 0) this.#addLanguage();
    for (const name of MODULES) {
      const module = this.#modules.has(name) ? undefined : loadedBuiltin(name);
      if (!module) continue;
      this.#modules.add(name);
      this.#addWithMembers(module);
      this.#addSettings(name, module);
    }
  }

  /** The exports, the objects and classes in them, and the classes in those objects (`default`). */
  #addClassesOf(exports: object): void {
    const members = [exports, ...valuesOf(exports)];
    for (const member of members) {
      this.#addClass(member);
      if (typeof member !== "function") for (const inner of valuesOf(member)) this.#addClass(inner);
    }
  }

  #addClass(made: object): void {
    if (typeof made !== "function" || isProxy(made)) return;
    const prototype: unknown = ownValue(made, "prototype");
    if (!isObject(prototype) || isProxy(prototype) || ownKeys(prototype).length < 2) return;
    for (const target of [made, prototype]) {
      this.objects.add(target);
      if (!this.#ofLanguage.has(target)) this.#ofLanguage.set(target, undefined);
    }
  }

  #addSettings(name: string, module: object): void {
    const settings = settingsOf(name, module);
    if (settings) this.objects.add(settings);
  }

  #addLanguage(): void {
    for (const name of [...LANGUAGE, ...OBJECTS]) {
      const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
      if (!descriptor || (LAZY.has(name) && !descriptor.value)) continue;
      const value: unknown = Reflect.get(globalThis, name);
      this.#addFunction(value);
      if (!isObject(value)) continue;
      this.#ofLanguage.set(value, name);
      const { prototype } = value as { prototype?: unknown };
      if (isObject(prototype)) this.#ofLanguage.set(prototype, undefined);
    }
    this.#addSettings("process", process);
    this.#modules.add("language");
  }

  /** A module, the classes in it, and the objects on it (`fs.promises`, `util.inspect.defaultOptions`). */
  #addWithMembers(module: object): void {
    this.#addFunction(module);
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(module))) {
      if (typeof value === "function") this.#addFunction(value);
    }
    const { promises, inspect } = module as { promises?: unknown; inspect?: { defaultOptions?: unknown } };
    for (const member of [promises, inspect, inspect?.defaultOptions]) this.#addFunction(member);
  }

  #addFunction(value: unknown): void {
    if (!isObject(value)) return;
    if (typeof value !== "function") {
      this.objects.add(value);
      return;
    }
    const { prototype } = value as { prototype?: unknown };
    // A plain function that nothing hangs on has nothing that could be patched.
    if (!isObject(prototype)) return;
    this.objects.add(value);
    this.objects.add(prototype);
  }
}

/** Objects and functions that the properties of an object are; no getter is asked. */
function valuesOf(object: object): object[] {
  if (isProxy(object)) return [];
  return ownKeys(object)
    .slice(0, EXPORTS)
    .flatMap((key) => {
      const value: unknown = ownValue(object, key);
      return isObject(value) ? [value] : [];
    });
}

/** The exports of Node's modules that apps use, as far as they are loaded. */
export function loadedBuiltins(): object[] {
  return MODULES.flatMap((name) => loadedBuiltin(name) ?? []);
}

/** Functions in the exports of Node's modules that apps use; behind them are Node's own variables. */
export function builtinFunctions(): Set<unknown> {
  const members = loadedBuiltins().flatMap((module) => [module, ...valuesOf(module)]);
  return new Set(members.filter((member) => typeof member === "function"));
}

/** Names of all that Node has loaded, live: `NativeModule http`. */
const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };

/**
 * The exports of a module of Node's, without a call of `require` that somebody could notice; undefined when nothing has
 * loaded it: what the app does not use is not loaded for its sake.
 */
export function loadedBuiltin(name: string): object | undefined {
  return moduleLoadList.includes(`NativeModule ${name}`) ? process.getBuiltinModule(name) : undefined;
}
