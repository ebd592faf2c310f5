/**
 * Notices that a package's main module has been loaded, by whomever, and gives its exports. CommonJS is seen as Node loads
 * it; an ES module when an own file imports it.
 */
import { readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";
import { packageOf } from "../../src/common/paths.js";

export interface LoadedPackage {
  readonly name: string;
  readonly version: string;
  readonly exports: unknown;
  /** Gives the package other exports; in vain when they are those of an ES module. */
  replace(exports: unknown): void;
}

export interface PackageLoadsOptions {
  /** Only these packages are looked at. */
  wants(packageName: string): boolean;
  loaded(found: LoadedPackage): void;
  /** The code of some CommonJS file was run by Node. */
  compiled?(): void;
}

type Compile = (this: Module, text: string, file: string, ...rest: unknown[]) => unknown;

const require = createRequire(import.meta.url);

export class PackageLoads {
  readonly #options: PackageLoadsOptions;
  /** Folder of a package to its main file by `require`; as many as there are packages that are wanted. */
  readonly #mains = new Map<string, string | undefined>();

  constructor(options: PackageLoadsOptions) {
    this.#options = options;
  }

  /**
   * Listens to Node's loader until the returned function is called. When a module's code has run, and not later: Node 20
   * and 22 note then what an ES module that imports it will get.
   */
  install(): () => void {
    const prototype = Module.prototype as Module & { _compile: Compile };
    const original = prototype._compile;
    const self = this;
    const compile: Compile = function (text, file, ...rest) {
      const result: unknown = original.call(this, text, file, ...rest);
      self.#options.compiled?.();
      self.commonJsLoaded(file, this);
      return result;
    };
    prototype._compile = compile;
    return () => {
      if (prototype._compile === compile) prototype._compile = original;
    };
  }

  commonJsLoaded(file: string, module: Module): void {
    const found = this.#packageOf(file);
    if (!found || this.#mainOf(found) !== file) return;
    this.#tell(found, module.exports, (exports) => {
      module.exports = exports;
    });
  }

  /** An own file imported this file of a package, by whatever entry point. */
  imported(file: string, namespace: object): void {
    const found = this.#packageOf(file);
    if (found) this.#tell(found, require.cache[file]?.exports ?? namespace, () => undefined);
  }

  #tell(
    { name, folder }: { name: string; folder: string },
    exports: unknown,
    replace: (exports: unknown) => void,
  ): void {
    const { version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as { version?: string };
    this.#options.loaded({ name, version: version ?? "", exports, replace });
  }

  #packageOf(file: string): { name: string; folder: string } | undefined {
    const found = packageOf(file);
    return found && this.#options.wants(found.name) ? found : undefined;
  }

  #mainOf({ name, folder }: { name: string; folder: string }): string | undefined {
    if (!this.#mains.has(folder)) {
      this.#mains.set(folder, resolved(path.join(folder, "..", "package.json"), name) ?? resolved(folder, folder));
    }
    return this.#mains.get(folder);
  }
}

/** What `require(specifier)` leads to. A package that only `import` may load leads nowhere: it is met as an ES module. */
function resolved(importer: string, specifier: string): string | undefined {
  try {
    return createRequire(importer).resolve(specifier);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    return undefined;
  }
}
