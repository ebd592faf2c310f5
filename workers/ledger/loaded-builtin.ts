/** Modules of Node's, only if something has loaded them: what the app does not use is not loaded for its sake. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Names of all that Node has loaded, live: `NativeModule http`. */
const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };

/** The module's exports; undefined when it has not been loaded. */
export function loadedBuiltin(name: string): object | undefined {
  return moduleLoadList.includes(`NativeModule ${name}`) ? (require(`node:${name}`) as object) : undefined;
}
