/** `module.hot` of one version of a module, as webpack has it. What it calls module ids are absolute paths here. */
import { inspect } from "node:util";
import { ArgumentError } from "../../src/common/errors.js";
import type { ModuleHot, ModuleHotStatus } from "../../src/common/protocol/hot-api.js";
import type { DisposeHook, HotActions, HotState, Listener } from "./dispose-hooks.js";

/** Beside the events of `import.meta.hot`. */
export const STATUS_EVENT = "webpack:status";

// biome-ignore lint/complexity/noBannedTypes: whatever the app gives; it is checked to be a function and called.
type AnyFunction = Function;

export function createModuleHot(hot: HotActions, state: HotState): ModuleHot {
  const { edges } = state.version;
  const { file } = state;
  const hooks = new Map<AnyFunction, DisposeHook>();

  const filesOf = (specifiers: string | readonly string[]): string[] =>
    [specifiers]
      .flat()
      .map((specifier) => hot.targetOf(specifier, state.version, "require"))
      .filter((target) => target !== undefined);
  const acceptSelf = (onError: unknown): void => {
    edges.says({ self: true });
    if (onError === undefined) return;
    const handler = functionOf("accept", onError);
    state.errorHandlers.push((error) => handler(error, { moduleId: file, module: state.version.record.module }));
  };
  const acceptDependencies = (specifiers: string | readonly string[], callback: unknown, onError: unknown): void => {
    const files = filesOf(specifiers);
    edges.says({ dependencies: files });
    const run = callback === undefined ? () => undefined : functionOf("accept", callback);
    const handler = onError === undefined ? undefined : functionOf("accept", onError);
    state.accepts.push({
      files,
      run: (updated) => run(updated),
      onError: handler && ((error, [dependencyId]) => handler(error, { moduleId: file, dependencyId })),
    });
  };
  const addDisposeHandler = (callback: AnyFunction): void => {
    const run = functionOf("dispose", callback);
    hooks.set(
      callback,
      hot.disposeHooks.add(edges, () => run(hot.handedOn(state))),
    );
  };

  return {
    get active() {
      return hot.isCurrent(state);
    },
    data: hot.handedTo(file),
    accept(first?: unknown, callback?: unknown, onError?: unknown): void {
      if (first === undefined || typeof first === "function") acceptSelf(first);
      else if (isSpecifiers(first)) acceptDependencies(first, callback, onError);
      else throw new ArgumentError(`module.hot.accept(): expected specifiers or a function, not ${inspect(first)}`);
    },
    decline(dependencies) {
      if (dependencies === undefined) edges.says({ declined: true });
      else edges.says({ declinedDependencies: filesOf(dependencies) });
    },
    dispose: addDisposeHandler,
    addDisposeHandler,
    removeDisposeHandler(callback) {
      const hook = hooks.get(callback);
      if (hook) hot.disposeHooks.remove(hook);
    },
    invalidate() {
      hot.invalidate(state, undefined, { again: true });
    },
    status: () => hot.status,
    addStatusHandler(callback: (status: ModuleHotStatus) => void) {
      state.listen(STATUS_EVENT, functionOf("addStatusHandler", callback) as Listener);
    },
    removeStatusHandler(callback: (status: ModuleHotStatus) => void) {
      state.unlisten(STATUS_EVENT, callback as Listener);
    },
  };
}

function isSpecifiers(value: unknown): value is string | string[] {
  return (
    typeof value === "string" || (Array.isArray(value) && value.every((dependency) => typeof dependency === "string"))
  );
}

function functionOf(call: string, value: unknown): (...parameters: unknown[]) => unknown {
  if (typeof value === "function") return value as (...parameters: unknown[]) => unknown;
  throw new ArgumentError(`module.hot.${call}(): the callback must be a function, not ${inspect(value)}`);
}
