/**
 * How `unreloader/app` and the thread that runs the app find each other: the app may import another copy of the package
 * than the one that supervises it, so that no module of ours is shared. The thread puts one object on `globalThis`, under
 * a symbol of the global registry. Its members are only ever added to, each addition raising `version`; whoever calls a
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
}

/** The host of this thread; undefined when no supervisor runs the app. */
export function findAppHost(): AppHost | undefined {
  return (globalThis as { [APP_HOST]?: AppHost })[APP_HOST];
}
