/** `import.meta.hot` of one version of a module, as Vite has it. */
import { inspect } from "node:util";
import { ArgumentError } from "../../src/common/errors.js";
import type { ImportMetaHot, ModuleNamespace } from "../../src/common/protocol/hot-api.js";
import type { HotActions, HotState, Listener } from "./dispose-hooks.js";

type OnModules = (modules: (ModuleNamespace | undefined)[]) => unknown;

export function createImportMetaHot(hot: HotActions, state: HotState): ImportMetaHot {
  const { edges } = state.version;
  const { file } = state;

  const acceptSelf = (callback: ((module: ModuleNamespace | undefined) => unknown) | undefined): void => {
    if (callback === undefined) return;
    mustBeFunction("accept", callback);
    state.accepts.push({ files: [file], run: () => callback(namespace(file)) });
  };
  const acceptDependencies = (specifiers: readonly string[], callback: OnModules): void => {
    const targets = specifiers.map((specifier) => hot.targetOf(specifier, state.version, "import"));
    const files = targets.filter((target) => target !== undefined);
    edges.says({ dependencies: files });
    state.accepts.push({
      files,
      run: (updated) =>
        callback(
          targets.map((target) => (target !== undefined && updated.includes(target) ? namespace(target) : undefined)),
        ),
    });
  };
  const namespace = (target: string): ModuleNamespace => hot.namespaceOf(target) as ModuleNamespace;

  return {
    get data() {
      return hot.lastingValues(file);
    },
    accept(first?: unknown, callback?: unknown): void {
      if (first === undefined || typeof first === "function") {
        edges.says({ self: true });
        acceptSelf(first as ((module: ModuleNamespace | undefined) => unknown) | undefined);
      } else if (typeof first === "string") {
        const run = optional("accept", callback);
        acceptDependencies([first], ([module]) => run(module));
      } else if (Array.isArray(first) && first.every((dependency) => typeof dependency === "string")) {
        acceptDependencies(first, optional("accept", callback));
      } else {
        throw new ArgumentError(
          `hot.accept(): expected a function, a specifier or a list of them, not ${inspect(first)}`,
        );
      }
    },
    acceptExports(names, callback) {
      edges.says({ exports: [names].flat() });
      acceptSelf(callback);
    },
    dispose(callback) {
      mustBeFunction("dispose", callback);
      hot.disposeHooks.add(edges, () => callback(hot.lastingValues(file)));
    },
    prune(callback) {
      mustBeFunction("prune", callback);
      state.prunes.push(() => callback(hot.lastingValues(file)));
    },
    invalidate(message) {
      hot.invalidate(state, message, { again: false });
    },
    decline() {
      edges.says({ declined: true });
    },
    on(event, callback) {
      mustBeFunction("on", callback);
      state.listen(event, callback as Listener);
    },
    off(event, callback) {
      state.unlisten(event, callback as Listener);
    },
    send() {},
  };
}

function optional(call: string, callback: unknown): (argument: unknown) => unknown {
  if (callback === undefined) return () => undefined;
  mustBeFunction(call, callback);
  return callback as (argument: unknown) => unknown;
}

function mustBeFunction(call: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new ArgumentError(`hot.${call}(): the callback must be a function, not ${inspect(value)}`);
}
