/** The adapters that are in use: attaches each to the libraries that the app loads, and tells them what is purged. */
import { ADAPTER_END_MS } from "../../src/common/deadlines.js";
import { errorText } from "../../src/common/errors.js";
import type {
  Adapter,
  AdapterContext,
  AttachedAdapter,
  Constructor,
  Method,
  PurgedClasses,
} from "../../src/common/protocol/adapter.js";
import { isObject } from "../../src/common/untouched.js";
import { withDeadline } from "../../src/common/wait.js";
import type { Ledger } from "../ledger/ledger.js";
import { standsFor } from "../ledger/replace.js";
import type { PlanParticipant } from "../plan-participant.js";
import type { LoadedPackage } from "./package-loads.js";

export interface AdaptersOptions {
  /** The file to which what happens now belongs uses this one. */
  uses?(file: string): void;
  /** How a file is named in messages. */
  shown?(file: string): string;
  readonly ledger: Ledger;
  readonly sockets?: AdapterContext["sockets"] | undefined;
  /** Those for a package, in the order in which they are attached. */
  adaptersFor(packageName: string): readonly Adapter[];
  warn(message: string): void;
}

export class Adapters implements PlanParticipant<unknown> {
  readonly #options: AdaptersOptions;
  readonly #attached: { readonly name: string; readonly adapter: AttachedAdapter }[] = [];
  /** Names on `globalThis`, of all adapters that are attached. */
  readonly #globals = new Set<string>();
  /** Exports that an adapter is attached to; the app keeps its libraries for ever. */
  readonly #known = new WeakMap<Adapter, WeakSet<object>>();
  /** Object -> names of its methods that are wrapped already: a library may show one object by two ways. */
  readonly #wrapped = new WeakMap<object, Set<PropertyKey>>();
  /** Said already. */
  readonly #warnings = new Set<string>();

  constructor(options: AdaptersOptions) {
    this.#options = options;
  }

  /** Whether anybody wants the exports of this package. */
  wants(packageName: string): boolean {
    return this.#options.adaptersFor(packageName).length > 0;
  }

  /** Whether a package with an adapter keeps its registry on `globalThis` under this name. */
  keepsGlobal(name: string): boolean {
    return this.#globals.has(name);
  }

  packageLoaded({ name, version, exports, replace }: LoadedPackage): void {
    if ((typeof exports !== "object" && typeof exports !== "function") || exports === null) return;
    for (const adapter of this.#options.adaptersFor(name)) {
      const known = this.#known.get(adapter) ?? new WeakSet();
      this.#known.set(adapter, known);
      if (known.has(exports)) continue;
      known.add(exports);
      for (const global of adapter.globals ?? []) this.#globals.add(global);
      try {
        const attached = adapter.attach({ name, version, exports }, this.#contextOf(adapter, replace));
        if (attached) this.#attached.push({ name: adapter.name, adapter: attached });
      } catch (error) {
        this.#warn(adapter, `could not be attached to ${name} ${version}: ${errorText(error)}`);
      }
    }
  }

  /** Classes of a file go. False when there is nobody to tell; else true, since a registry may have lost something. */
  purge(file: string, classes: readonly { readonly target: unknown }[]): false | Promise<true> {
    if (classes.length === 0 || !this.#attached.some(({ adapter }) => adapter.purge)) return false;
    return this.#purge({ file, classes: new Set(classes.map(({ target }) => target)) });
  }

  async #purge(purged: PurgedClasses): Promise<true> {
    for (const { name, adapter } of this.#attached) {
      if (!adapter.purge) continue;
      try {
        await this.#options.ledger.outside(() => adapter.purge?.(purged));
      } catch (error) {
        const { shown = (file) => file, warn } = this.#options;
        warn(`adapter ${name} failed to purge the classes of ${shown(purged.file)}: ${errorText(error)}`);
      }
    }
    return true;
  }

  commit(): void {
    for (const { name, adapter } of this.#attached) {
      try {
        adapter.applied?.();
      } catch (error) {
        this.#options.warn(`adapter ${name} failed after a reload: ${errorText(error)}`);
      }
    }
  }

  /** The thread is about to end. `takes`: told how long that may take. Never rejects. */
  async end(takes: (deadlineMs: number) => void): Promise<void> {
    if (this.#attached.some(({ adapter }) => adapter.end)) takes(ADAPTER_END_MS);
    const ending = this.#attached.map(async ({ name, adapter }) => {
      const pending = this.#options.ledger.outside(() => adapter.end?.());
      if (pending) await withDeadline(Promise.resolve(pending), ADAPTER_END_MS);
      return name;
    });
    for (const [index, outcome] of (await Promise.allSettled(ending)).entries()) {
      if (outcome.status === "fulfilled") continue;
      const { name } = this.#attached[index] ?? {};
      this.#options.warn(
        `adapter ${name}: what it knows of did not end before the thread: ${errorText(outcome.reason)}`,
      );
    }
  }

  #contextOf(adapter: Adapter, replace: (exports: unknown) => void): AdapterContext {
    const { ledger } = this.#options;
    return {
      record: (what, undo, ended) => void ledger.recordWhole(what, undo, ended),
      get owner() {
        return ledger.owner?.file;
      },
      uses: (file) => this.#options.uses?.(file),
      outside: (run) => ledger.outside(run),
      watchMaking: (maker, what, close) =>
        watchMaking(
          maker,
          (made) => void ledger.recordWhole(what, () => close(made), isObject(made) ? made : undefined),
        ),
      replaceExports: replace,
      wrap: (target, name, replace) => this.#wrap(target, name, replace),
      sockets: this.#options.sockets ?? "move",
      warn: (message) => this.#warn(adapter, message),
    };
  }

  #wrap(target: unknown, name: PropertyKey, replace: (original: Method) => Method): void {
    if ((typeof target !== "object" && typeof target !== "function") || target === null) return;
    const original: unknown = Reflect.get(target, name);
    if (typeof original !== "function") return;
    const wrapped = this.#wrapped.get(target) ?? new Set();
    this.#wrapped.set(target, wrapped);
    if (wrapped.has(name)) return;
    const descriptor = Object.getOwnPropertyDescriptor(target, name);
    if (descriptor && !descriptor.configurable && !descriptor.writable) return;
    const { enumerable = false } = descriptor ?? {};
    wrapped.add(name);
    const put = (inner: Method): void => {
      const replacement = replace(inner);
      for (const key of Reflect.ownKeys(inner)) {
        const own = Object.getOwnPropertyDescriptor(inner, key);
        const present = Object.getOwnPropertyDescriptor(replacement, key);
        if (own && (!present || present.configurable)) Object.defineProperty(replacement, key, own);
      }
      standsFor(replacement, inner);
      const shimmed = instrumented(inner);
      // Instrumentation takes its own wrapper off before it puts on another, and would not find it below ours.
      if (shimmed) {
        const unwrap = (): void => {
          if (Reflect.get(target, name) === replacement) put(shimmed);
        };
        Object.defineProperty(replacement, "__unwrap", { configurable: true, writable: true, value: unwrap });
      }
      Object.defineProperty(target, name, { configurable: true, writable: true, enumerable, value: replacement });
    };
    put(original as Method);
  }

  #warn({ name }: Adapter, message: string): void {
    const text = `adapter ${name}: ${message}`;
    if (this.#warnings.has(text)) return;
    this.#warnings.add(text);
    this.#options.warn(text);
  }
}

/** What is below a wrapper of shimmer's kind, which OpenTelemetry and others put on; undefined for any other function. */
function instrumented(method: Method): Method | undefined {
  const { __original: original, __wrapped: isWrapped } = method as { __original?: unknown; __wrapped?: unknown };
  return isWrapped === true && typeof original === "function" ? (original as Method) : undefined;
}

/** A stand-in that calls `made` with what the function or class makes; its other properties are the original's. */
function watchMaking<Maker extends object>(maker: Maker, made: (made: unknown) => void): Maker {
  const standIn: Maker = new Proxy(maker, {
    apply(target, self, args) {
      const result: unknown = Reflect.apply(target as unknown as Method, self, args);
      made(result);
      return result;
    },
    construct(target, args, newTarget) {
      const result: object = Reflect.construct(
        target as unknown as Constructor,
        args,
        newTarget === standIn ? (target as unknown as Constructor) : newTarget,
      );
      made(result);
      return result;
    },
    // `exports.default`, which is the function itself in many libraries.
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      return value === target && isReplaceable(target, name) ? standIn : value;
    },
  });
  return standIn;
}

/** A proxy must show properties that are fixed as they are. */
function isReplaceable(target: object, name: PropertyKey): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(target, name);
  return descriptor === undefined || descriptor.configurable === true || descriptor.writable === true;
}
