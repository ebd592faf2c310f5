/** What packages may see of the process while they are loaded, and whether own code has changed it. */
import Module, { syncBuiltinESMExports } from "node:module";
import { Builtins } from "../ledger/builtins.js";
import { GlobalNames } from "../ledger/global-names.js";
import { replaceMethod } from "../ledger/replace.js";
import { type Difference, WatchedObjects } from "../ledger/watched-objects.js";

/** Of Node's `process` and of `Error`: nothing that a package looks at while it is loaded. */
const NOT_SEEN = new Set<PropertyKey>([
  "_events",
  "_eventsCount",
  "_maxListeners",
  "env",
  "exitCode",
  "stackTraceLimit",
]);

export class Surroundings {
  readonly #globals = new GlobalNames();
  readonly #builtins = new Builtins();
  readonly #loader = new WatchedObjects();
  readonly #variables: Readonly<Record<string, string | undefined>> = { ...process.env };
  #hooked = false;
  readonly #restores: (() => void)[];

  /** From here on; `close` ends it. */
  constructor() {
    this.#builtins.update();
    this.#loader.add((Module as unknown as { _extensions: object })._extensions);
    this.#restores = ["register", "registerHooks"].map((name) =>
      replaceMethod(Module, name, (original) => {
        const surroundings = this;
        return function hooked(this: unknown, ...args: unknown[]): unknown {
          surroundings.#hooked = true;
          return Reflect.apply(original, this, args);
        };
      }),
    );
    syncBuiltinESMExports();
    this.look();
  }

  /** What has changed since the last look, in words; undefined: nothing. 0.3 ms. */
  look(): string | undefined {
    const wasHooked = this.#hooked;
    this.#hooked = false;
    const differences = [...this.#globals.look(true), ...this.#builtins.objects.look(), ...this.#loader.look()];
    this.#builtins.update();
    const [difference] = differences.filter(({ key }) => !NOT_SEEN.has(key));
    if (difference) return nameOf(difference);
    return wasHooked ? "how modules are loaded" : undefined;
  }

  /** Variables of the environment that are not what they were at the beginning. */
  changedVariables(): string[] {
    const before = this.#variables;
    const now = { ...process.env };
    const names = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...names].filter((name) => before[name] !== now[name]);
  }

  close(): void {
    for (const restore of this.#restores.splice(0)) restore();
    syncBuiltinESMExports();
  }
}

function nameOf({ target, key }: Difference): string {
  return target === globalThis ? `the global ${String(key)}` : `the builtin property ${String(key)}`;
}
