/** What the registry knows of one file: things that stay for the file, and the version that is current. */
import type Module from "node:module";
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import type { CommonJsModule } from "./commonjs-module.js";
import type { EsmModule } from "./esm-module.js";
import type { Namespace, Read } from "./namespace.js";
import type { NamespaceBridge } from "./namespace-bridge.js";

export type ModuleVersion = EsmModule | CommonJsModule;

/**
 * Gives a getter for each top-level binding that the module does not export. A getter throws a ReferenceError as long as
 * the declaration of a `let`, `const` or `class` has not been reached.
 */
export type PrivateBindings = () => Readonly<Record<string, Read>>;

export class ModuleRecord {
  readonly file: string;
  readonly url: string;
  readonly namespace: Namespace;
  /** The newest code; the current version may have been made of older one. */
  prepared: PreparedModule | undefined;
  /** Undefined before the first evaluation and between purge and load. */
  version: ModuleVersion | undefined;
  /** `module` of a CommonJS file. One object for the file, so that those who keep it (`children`) keep no old version. */
  module: Module | undefined;
  /** `module.parent`: the own file or Node's module that required it first. */
  requiredBy: string | Module | undefined;
  /** What `require()` gives for an ES module with a default export: its namespace marked with `__esModule`. */
  requiredView: Namespace | undefined;
  /** Stand-ins among Node's modules, for packages that import this file. */
  readonly bridges = new Set<NamespaceBridge>();
  /** What an importer with CommonJS interop reads of this file, one object for each kind of interop. */
  readonly interopViews = new Map<string, object>();

  constructor(file: string, url: string, namespace: Namespace) {
    this.file = file;
    this.url = url;
    this.namespace = namespace;
  }
}
