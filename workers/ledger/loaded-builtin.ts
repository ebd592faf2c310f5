/** Modules of Node's, only if something has loaded them: what the app does not use is not loaded for its sake. */

/** Names of all that Node has loaded, live: `NativeModule http`. */
const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };

/** The module's exports, without a call of `require` that somebody could notice; undefined when it has not been loaded. */
export function loadedBuiltin(name: string): object | undefined {
  return moduleLoadList.includes(`NativeModule ${name}`) ? process.getBuiltinModule(name) : undefined;
}
