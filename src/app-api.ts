/**
 * `unreloader/app`: what an app says to its supervisor. Without one (plain Node) every call does what the app needs to
 * run: nothing, or the plain thing.
 */
import { inspect } from "node:util";
import { ArgumentError } from "./errors.js";
import { findAppHost, type MaybePromise } from "./protocol/app-host.js";

class AppApi {
  /** Without a supervisor: key -> the value that was created, or is being created, for it. Lives as long as the process. */
  readonly #kept = new Map<string, Promise<unknown>>();

  /** Whether saved files are taken in while the app runs: true under a supervisor. */
  get reloading(): boolean {
    return findAppHost()?.reloading ?? false;
  }

  /** Whether autoloaded files are loaded when they are first used; false: at once. */
  get autoloading(): boolean {
    return findAppHost()?.autoloading ?? false;
  }

  /** Rises by one with every reload and restart; 1 after a first start, and without a supervisor. */
  get generation(): number {
    return findAppHost()?.generation ?? 1;
  }

  /**
   * Runs `hook` before the module that is being evaluated is replaced, and before the app's thread ends. The reload waits
   * for what it returns, for up to 5 seconds; an error is reported and stops nothing. Hooks run in the reverse order of
   * their registration. Called outside of an evaluation, in a request say, the hook runs at the end of the thread.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) when `hook` is not a function.
   */
  dispose(hook: () => unknown): void {
    mustBeFunction("dispose", "hook", hook);
    findAppHost()?.dispose(hook);
  }

  /**
   * The value kept under `key`: `create` makes it at the first call, and reloads leave it alone. Concurrent calls, of any
   * module, share one creation; one that fails is not kept. `close` gets the value (its promise is awaited, for up to 5
   * seconds) when the app's thread ends, before the file that called `create` is evaluated from a new text, and when no
   * loaded module keeps the key any more. Without a supervisor nothing is closed.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) when an argument does not fit.
   */
  keep<Value>(key: string, create: () => MaybePromise<Value>, close?: (value: Value) => unknown): Promise<Value> {
    if (typeof key !== "string") throw new ArgumentError(`keep(): the key must be a string, not ${inspect(key)}`);
    mustBeFunction("keep", "create", create);
    if (close !== undefined) mustBeFunction("keep", "close", close);
    return findAppHost()?.keep(key, create, close) ?? this.#keep(key, create);
  }

  #keep<Value>(key: string, create: () => MaybePromise<Value>): Promise<Value> {
    const known = this.#kept.get(key);
    if (known) return known as Promise<Value>;
    const created = new Promise<Value>((resolve) => resolve(create()));
    this.#kept.set(key, created);
    created.catch(() => this.#kept.delete(key));
    return created;
  }
}

function mustBeFunction(call: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new ArgumentError(`${call}(): ${name} must be a function, not ${inspect(value)}`);
}

export type UnreloaderApp = AppApi;
export const unreloader: UnreloaderApp = new AppApi();
