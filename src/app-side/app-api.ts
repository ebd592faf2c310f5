/**
 * `unreloader/app`: what an app says to its supervisor. Without one (plain Node) every call does what the app needs to
 * run: nothing, or the plain thing.
 */
import { createRequire } from "node:module";
import { inspect } from "node:util";
import { ArgumentError } from "../common/errors.js";
import type { Patterns, RequireOptions } from "../common/patterns.js";
import { findAppHost, findPlainSettings, type MaybePromise } from "../common/protocol/app-host.js";
import type * as appCalls from "./app-calls.js";
import { callerFile } from "./caller-file.js";

export type { ClassNames, Patterns, RequireOptions } from "../common/patterns.js";

const require = createRequire(import.meta.url);

class AppApi {
  /** Without a supervisor: key -> the value that was created, or is being created, for it. Lives as long as the process. */
  readonly #kept = new Map<string, Promise<unknown>>();

  /** Whether saved files are taken in while the app runs: true under a supervisor. */
  get reloading(): boolean {
    return findAppHost()?.reloading ?? false;
  }

  /** Whether autoloaded files are loaded when they are first used (the supervisor's option); false: at once. */
  get autoloading(): boolean {
    return (findAppHost() ?? findPlainSettings())?.autoloading ?? false;
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

  /**
   * Loads files, globs, and folders with their subfolders, one after the other: shallow paths first, then by name. Relative
   * paths start from the calling file. The supervisor monitors them for as long as this version of the calling module is
   * loaded: a file that comes is loaded before the next request, without the caller; one that goes is purged. The caller is
   * loaded again only for those among them that it reads itself.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) when an argument does not fit, or a plain path does not exist.
   */
  async require(paths: Patterns, options: RequireOptions = {}): Promise<void> {
    const caller = callerFile(this.require);
    await calls().requireFiles(caller, paths, options);
  }

  /** As `require`, at once: for files whose modules have no top-level await. */
  requireSync(paths: Patterns, options: RequireOptions = {}): void {
    calls().requireFilesSync(callerFile(this.requireSync), paths, options);
  }

  /**
   * Gives `target` a getter for each name of each file that `paths` match; the file is loaded when one is read first. The
   * value is the export of that name, else the default export, else all exports. Files that come and go bring their names
   * and take them. With the option `autoload: false`, and without a supervisor, all files are loaded at once.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) when an argument does not fit, or a plain path does not exist.
   */
  autoload<Target extends object = Record<string, unknown>>(
    paths: Patterns,
    nameOf: (file: string) => string | readonly string[],
    target: Target = {} as Target,
  ): Target {
    mustBeFunction("autoload", "nameOf", nameOf);
    calls().autoload(callerFile(this.autoload), paths, nameOf, target);
    return target;
  }

  /**
   * A change of `dependency` loads `files` again, after it. Each is a file, a folder or a glob, or a list of them, of code or
   * of anything else, existing or not; relative paths start from the calling file. Holds while this version of the calling
   * module is loaded.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) for what is no path.
   */
  recordDependency(dependency: Patterns, ...files: Patterns[]): void {
    calls().recordDependency(callerFile(this.recordDependency), dependency, files);
  }

  /**
   * The file `main` loads the files that `parts` match, which make up one class with it: a change, addition or deletion
   * among them evaluates all of them again, as `main` loads them. Relative paths start from the calling file.
   * @throws ArgumentError (ERR_UNRELOADER_ARGUMENT) for what is no path.
   */
  recordSplitClass(main: string | URL, ...parts: Patterns[]): void {
    calls().recordSplitClass(callerFile(this.recordSplitClass), main, parts);
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

/** Loaded when it is needed, which most apps never do. */
function calls(): typeof appCalls {
  return require("./app-calls.js") as typeof appCalls;
}

function mustBeFunction(call: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new ArgumentError(`${call}(): ${name} must be a function, not ${inspect(value)}`);
}

export type UnreloaderApp = AppApi;
/**
 * What an app can ask of unreloader. Each call does nothing, or loads what it is given, when the app runs without it.
 * @example const pool = await unreloader.keep("pool", () => createPool(), (pool) => pool.end());
 */
export const unreloader: UnreloaderApp = new AppApi();
