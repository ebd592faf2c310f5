/**
 * TypeScript with import syntax that is compiled for CommonJS, as the CommonJS module that it is: for `import` of an ES module,
 * whose default is `module.exports`, and for `require`.
 */
import { isObject, ownValue } from "../../src/common/untouched.js";
import { NAMES_MODULE_EXPORTS } from "./commonjs-exports.js";
import type { EsmModule, ModuleRecord, ModuleVersion } from "./module-record.js";
import { Namespace, type Read } from "./namespace.js";
import type { Observer } from "./observer.js";

/** Whether Node would load the version as CommonJS: `module.exports` has its exports. */
export function isCompiledForCommonJs(version: ModuleVersion | undefined): version is EsmModule {
  return version?.kind === "esm" && version.prepared.compiled.interop !== "none";
}

/** Whether an ES module can import the name, besides what the text exports. */
export function hasAsCommonJs(version: ModuleVersion, name: string): boolean {
  if (!isCompiledForCommonJs(version)) return false;
  return name === "default" || name === "__esModule" || (NAMES_MODULE_EXPORTS && name === "module.exports");
}

/** The namespace that an ES module gets of such a file. */
export function importedView(record: ModuleRecord, observer: Observer): Namespace {
  const view = record.importedView ?? new Namespace(record.file, observer);
  record.importedView = view;
  const { namespace } = record;
  const reads = readsThrough(namespace);
  // With `export =` the namespace is that of any CommonJS module.
  if (!(isCompiledForCommonJs(record.version) && record.version.commonJs)) {
    const exports = (): unknown => record.module?.exports;
    reads.set("default", exports).set("__esModule", () => true);
    if (NAMES_MODULE_EXPORTS) reads.set("module.exports", exports);
  }
  view.replace(reads);
  return view;
}

/** Reads of what a namespace leads to at the time. */
export function readsThrough(namespace: Namespace): Map<string, Read> {
  return new Map(namespace.names().map((name) => [name, () => Reflect.get(namespace.object, name)]));
}

/** Lets `exports`, if it is the object that the module began with, have a getter for every name, in the order of the text. */
export function defineExports(record: ModuleRecord, exports: unknown): void {
  const { version, namespace } = record;
  if (!isCompiledForCommonJs(version) || !isObject(exports) || ownValue(exports, "__esModule") !== true) return;
  const inText = version.prepared.compiled.exports.filter((name) => namespace.has(name));
  for (const name of new Set([...inText, ...namespace.names()])) {
    if (Object.hasOwn(exports, name)) continue;
    Object.defineProperty(exports, name, {
      enumerable: true,
      configurable: true,
      get: () => Reflect.get(namespace.object, name),
    });
  }
}
