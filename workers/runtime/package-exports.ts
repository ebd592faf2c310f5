/** What packages export, one value for each way in which the app has loaded them. Loads nothing. */
import { isBuiltin } from "node:module";
import type { PreparedModule, Resolution } from "../../src/common/compile/compiled-module.js";
import { ownValue } from "../../src/common/untouched.js";
import { moduleInternals } from "./module-internals.js";
import { type NativeModules, urlOf } from "./native-modules.js";
import type { Registry } from "./registry.js";

export interface PackageExportsContext {
  readonly registry: Registry;
  readonly natives: NativeModules;
  /** What a package required by its name is found from. */
  readonly entry: string;
}

export class PackageExports {
  readonly #context: PackageExportsContext;
  /** Specifier -> what it has given; as long as no module is evaluated, which may load more. */
  readonly #known = new Map<string, readonly unknown[]>();

  constructor(context: PackageExportsContext) {
    this.#context = context;
  }

  /** A module was evaluated. */
  changed(): void {
    this.#known.clear();
  }

  /** By the specifier that own code uses: `mongoose`, `@scope/pkg`, `pkg/sub`, `node:events`. */
  of(specifier: string): readonly unknown[] {
    let found = this.#known.get(specifier);
    if (!found) {
      found = isBuiltin(specifier) ? [process.getBuiltinModule(specifier)] : [...this.#find(specifier)];
      this.#known.set(specifier, found);
    }
    return found;
  }

  /** Of every module that Node has loaded, files inside packages included. */
  *all(): Generator<unknown> {
    yield* this.#context.natives.all();
    for (const module of Object.values(moduleInternals._cache)) if (module) yield ownValue(module, "exports");
  }

  #find(specifier: string): Set<unknown> {
    const found = new Set<unknown>();
    for (const { version } of this.#context.registry.all()) {
      if (!version) continue;
      for (const target of resolutionsOf(version.prepared, specifier)) this.#add(found, target);
    }
    // A package that only other packages require.
    const file = this.#resolve(specifier);
    if (file !== undefined) this.#add(found, { type: "native", file });
    found.delete(undefined);
    return found;
  }

  #add(found: Set<unknown>, target: Resolution): void {
    const { registry, natives } = this.#context;
    if (target.type === "file") {
      const record = registry.find(target.file);
      found.add(record?.version && record.namespace.object);
      return;
    }
    found.add(natives.loaded(urlOf(target)));
    if (target.type === "native") found.add(moduleInternals._cache[target.file]?.exports);
  }

  #resolve(specifier: string): string | undefined {
    const { natives, entry } = this.#context;
    try {
      return natives.requireFor(entry).resolve(specifier);
    } catch (error) {
      // Not installed, or not for `require`.
      if (error instanceof Error && "code" in error) return undefined;
      throw error;
    }
  }
}

function* resolutionsOf({ compiled, imports, requires }: PreparedModule, specifier: string): Generator<Resolution> {
  for (const [k, record] of compiled.imports.entries()) {
    const target = imports[k];
    if (record.specifier === specifier && target) yield target;
  }
  const required = Object.hasOwn(requires, specifier) ? requires[specifier] : undefined;
  if (required) yield required;
}
