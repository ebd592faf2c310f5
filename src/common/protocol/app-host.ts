/**
 * How `unreloader/app` and the thread that runs the app find each other: the app may import another copy of the package
 * than the one that supervises it, so that no module of ours is shared. The thread puts one object on `globalThis`, under
 * a symbol of the global registry. Its members are only ever added to, each addition raising `version`; a caller of a
 * member that came after version 1 checks for it first. A change that breaks callers takes another symbol.
 */
export const APP_HOST: unique symbol = Symbol.for("unreloader.app");

export type MaybePromise<Value> = Value | PromiseLike<Value>;

export interface AppHost {
  readonly version: number;
  readonly reloading: boolean;
  readonly autoloading: boolean;
  readonly generation: number;
  dispose(hook: () => unknown): void;
  keep<Value>(
    key: string,
    create: () => MaybePromise<Value>,
    close: ((value: Value) => unknown) | undefined,
  ): Promise<Value>;
  /** Since version 2. */
  readonly monitored?: MonitoredHost;
}

/** What stands behind `unreloader.require()`, `autoload()`, `recordDependency()` and `recordSplitClass()`. */
export interface MonitoredHost {
  /** What `run` reads and lists is no dependency of the module that is being evaluated. */
  unobserved<Result>(run: () => Result): Result;
  require(request: MonitorRequest): Promise<void>;
  requireSync(request: MonitorRequest): void;
  autoload(request: AutoloadRequest): void;
  recordDependency(request: AskingFile & { dependency: readonly string[]; files: readonly string[] }): void;
  recordSplitClass(request: AskingFile & { main: string; parts: readonly string[] }): void;
}

export interface AskingFile {
  /** The file in whose text the call stands; undefined when that cannot be told. */
  readonly caller: string | undefined;
}

export interface MonitorRequest extends AskingFile {
  /** Absolute. */
  readonly globs: readonly string[];
  /** What the globs match now, in the order in which it is to be loaded. */
  list(): readonly string[];
  readonly onDelete?: ((file: string) => unknown) | undefined;
  /** Names of the classes of a file; undefined for those that are found. */
  readonly classNames?: ((file: string) => readonly string[] | undefined) | undefined;
}

export interface AutoloadRequest extends MonitorRequest {
  namesOf(file: string): readonly string[];
  /** Gets a getter for each name. */
  readonly target: object;
}

/** Left by a supervisor without a worker, which puts no host there: what apps that run in its thread are to do. */
export const PLAIN_SETTINGS: unique symbol = Symbol.for("unreloader.plain");

export interface PlainSettings {
  readonly autoloading: boolean;
}

export function findPlainSettings(): PlainSettings | undefined {
  return (globalThis as { [PLAIN_SETTINGS]?: PlainSettings })[PLAIN_SETTINGS];
}

/** The host of this thread; undefined when no supervisor runs the app. */
export function findAppHost(): AppHost | undefined {
  return (globalThis as { [APP_HOST]?: AppHost })[APP_HOST];
}
