/** What `import.meta.hot` and `module.hot` are: the former typed as Vite publishes it, the latter as webpack does. */

// biome-ignore lint/suspicious/noExplicitAny: Vite's type; modules have exports of every kind.
export type ModuleNamespace = Record<string, any> & { [Symbol.toStringTag]: "Module" };

export interface HotUpdate {
  type: "js-update" | "css-update";
  /** Absolute path of the file. */
  path: string;
  acceptedPath: string;
  timestamp: number;
}

export interface HotEventMap {
  "vite:beforeUpdate": { type: "update"; updates: HotUpdate[] };
  "vite:afterUpdate": { type: "update"; updates: HotUpdate[] };
  "vite:beforePrune": { type: "prune"; paths: string[] };
  "vite:beforeFullReload": { type: "full-reload"; path?: string };
  "vite:invalidate": { path: string; message: string | undefined };
  "vite:error": {
    type: "error";
    err: { message: string; stack: string; frame?: string; loc?: { file: string; line: number; column: number } };
  };
}

// biome-ignore lint/suspicious/noExplicitAny: Vite's type; payloads of an app's own events are of every kind.
export type HotEventPayload<Event extends string> = Event extends keyof HotEventMap ? HotEventMap[Event] : any;

export interface ImportMetaHot {
  // biome-ignore lint/suspicious/noExplicitAny: Vite's type; modules put there what they like.
  readonly data: any;
  accept(): void;
  accept(callback: (module: ModuleNamespace | undefined) => void): void;
  accept(dependency: string, callback: (module: ModuleNamespace | undefined) => void): void;
  accept(dependencies: readonly string[], callback: (modules: Array<ModuleNamespace | undefined>) => void): void;
  acceptExports(
    exportNames: string | readonly string[],
    callback?: (module: ModuleNamespace | undefined) => void,
  ): void;
  // biome-ignore lint/suspicious/noExplicitAny: Vite's type, as `data`.
  dispose(callback: (data: any) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: Vite's type, as `data`.
  prune(callback: (data: any) => void): void;
  invalidate(message?: string): void;
  decline(): void;
  on<Event extends string>(event: Event, callback: (payload: HotEventPayload<Event>) => void): void;
  off<Event extends string>(event: Event, callback: (payload: HotEventPayload<Event>) => void): void;
  /** Does nothing: there is no client that would get it. */
  send<Event extends string>(event: Event, payload?: HotEventPayload<Event>): void;
}

export type ModuleHotStatus = "idle" | "check" | "prepare" | "ready" | "dispose" | "apply" | "abort" | "fail";

export interface ModuleHot {
  /** False once the version is replaced. */
  readonly active: boolean;
  /** What the dispose handlers of the version before have put there; undefined in the first one. */
  // biome-ignore lint/suspicious/noExplicitAny: webpack's type; modules put there what they like.
  readonly data: any;
  accept(onError?: (error: Error, context: { moduleId: string | number; module: NodeJS.Module }) => void): void;
  accept(
    dependencies: string | string[],
    callback?: (outdatedDependencies: string[]) => void,
    onError?: (error: Error, context: { moduleId: string | number; dependencyId: string | number }) => void,
  ): void;
  decline(dependencies?: string | string[]): void;
  // biome-ignore lint/suspicious/noExplicitAny: webpack's type, as `data`.
  dispose(callback: (data: any) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: webpack's type, as `data`.
  addDisposeHandler(callback: (data: any) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: webpack's type, as `data`.
  removeDisposeHandler(callback: (data: any) => void): void;
  invalidate(): void;
  status(): ModuleHotStatus;
  addStatusHandler(callback: (status: ModuleHotStatus) => void): void;
  removeStatusHandler(callback: (status: ModuleHotStatus) => void): void;
}
