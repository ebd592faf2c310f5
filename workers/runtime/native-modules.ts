/**
 * Modules that stay Node's own: packages, builtins, `data:` URLs, native addons. They are loaded at their place in the
 * evaluation order, synchronously, because packages notice what own modules did before them (environment, instrumentation).
 */
import Module, { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { ImportRecord, Resolution } from "../../src/common/compile/compiled-module.js";
import { NODE_MAJOR } from "../../src/common/node-version.js";
import { packageOf } from "../../src/common/paths.js";
import { ForeignObjects } from "../written/foreign.js";
import { nodeError } from "./module-errors.js";
import { evaluateAsNode } from "./module-internals.js";
import type { AskedPackage, PackageRequestWatch } from "./package-watch.js";

export type NativeTarget = Exclude<Resolution, { type: "file" }>;
export type Attributes = ImportRecord["attributes"];

/** A module loaded by Node that has top-level await somewhere (or is being loaded): only `import()` can give it. */
export class NativeIsAsync extends Error {
  readonly key: string;
  constructor(key: string) {
    super(`${key} can only be loaded asynchronously`);
    this.key = key;
  }
}

/** Node's codes for "exists, but not synchronously". */
const ASYNC_CODES = new Set(["ERR_REQUIRE_ASYNC_MODULE", "ERR_REQUIRE_CYCLE_MODULE", "ERR_REQUIRE_ESM_RACE_CONDITION"]);

/** Which Node compiles asynchronously only. */
function isWebAssembly(target: NativeTarget): boolean {
  return target.type !== "builtin" && target.file.endsWith(".wasm");
}

/** By which Node knows what a specifier leads to. */
export function urlOf(target: Resolution): string {
  return target.type === "builtin" ? target.name : pathToFileURL(target.file).href + (target.search ?? "");
}

/** What stands in the own file that imports. */
export interface AskedBy {
  readonly specifier: string;
  readonly importer: string;
}

export interface NativeModulesOptions {
  /** Hooks in Node's other thread are to be asked where a specifier leads, by the specifier and its importer. */
  asksHooks(): boolean;
  /** Has Node load `specifier`, of which hooks of this thread have said that it is `url`. */
  answering<Result>(specifier: string, url: string, load: (specifier: string) => Result): Result;
  /** Runs the loading of a package: what its top level creates stays with the package. */
  outside<Result>(run: () => Result): Result;
  /** Runs what an own module asks for; what a package does meanwhile is not its doing. */
  loading<Result>(run: () => Result): Result;
  /** Runs what has Node link modules. */
  linking<Result>(run: () => Result): Result;
  /** An own file has imported this file of a package. */
  loaded(file: string, namespace: object): void;
  /** Whether an adapter looks after what is registered with this package. */
  adapts(packageName: string): boolean;
  /** Told of the exports of packages that own files get. */
  handedOver(exports: unknown): void;
  /** Told of the exports of packages that no adapter knows. */
  unknownPackage(exports: unknown, name: string): void;
  /** What has to know what own code asks for, and in which order; absent: nothing. */
  readonly requests?: PackageRequestWatch | undefined;
}

export class NativeModules {
  /** What own modules were given. */
  readonly foreign = new ForeignObjects();
  /** URL and attributes to Node's namespace; never dies, as Node never unloads. */
  readonly #namespaces = new Map<string, object>();
  /** Keys known to need `import()`. */
  readonly #async = new Set<string>();
  /** Own file to the `require` that Node sees as its; kept over reloads because Node remembers who required first. Dies with the file. */
  readonly #requires = new Map<string, NodeJS.Require>();
  readonly #options: NativeModulesOptions;
  /** Folder of own files to what imports there in Node's eyes. */
  readonly #bridges = new Map<string, ImportingBridge>();
  /** Key -> namespace of what was loaded before any own module asked for it; until one does. */
  readonly #ahead = new Map<string, object>();

  constructor(options: NativeModulesOptions) {
    this.#options = options;
  }

  requireFor(file: string): NodeJS.Require {
    let require = this.#requires.get(file);
    if (!require) {
      require = createRequire(file);
      this.#requires.set(file, require);
    }
    return require;
  }

  /** Nothing leads to this own file any more. */
  forget(file: string): void {
    this.#requires.delete(file);
  }

  isAsync(target: NativeTarget, attributes: Attributes): boolean {
    const key = keyOf(urlOf(target), attributes);
    // Before 22.15 hooks in Node's other thread are asked by `import()` alone.
    const asksLater = !SYNCHRONOUS_HOOKS || isRefusedByLinking(urlOf(target));
    const waits = asksLater && this.#options.asksHooks() && !this.#namespaces.has(key);
    return waits || this.#async.has(key) || (isWebAssembly(target) && !this.#namespaces.has(key));
  }

  /** The namespace of a URL, if it has been loaded (without attributes). */
  loaded(url: string): object | undefined {
    return this.#namespaces.get(url);
  }

  /** Every namespace that own code has loaded. */
  all(): Iterable<object> {
    return this.#namespaces.values();
  }

  /**
   * Node's namespace object, evaluated. `asked`: what stands in the importer. Throws NativeIsAsync when only `import()` can
   * give it.
   */
  namespace(target: NativeTarget, attributes: Attributes, asked?: AskedBy): object {
    const url = urlOf(target);
    if (this.isAsync(target, attributes)) throw new NativeIsAsync(url);
    // What Node has loaded by `import()` alone is known by its URL.
    const byHooks = asked && SYNCHRONOUS_HOOKS && this.#options.asksHooks() ? asked : undefined;
    const key = keyOf(byHooks ? `${url} ${byHooks.specifier} ${path.dirname(byHooks.importer)}` : url, attributes);
    const known = this.#namespaces.get(key);
    if (known) return known;
    try {
      const ahead = this.#ahead.get(key);
      const namespace = this.#asked({ kind: "import", target, attributes, isStatic: true }, () => {
        return ahead ?? this.#options.outside(() => this.#importSync(url, attributes, byHooks));
      });
      this.#ahead.delete(key);
      this.#arrived(target, key, namespace);
      if (byHooks) this.#namespaces.set(keyOf(url, attributes), namespace);
      return namespace;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (!ASYNC_CODES.has(code)) throw error;
      this.#async.add(key).add(keyOf(url, attributes));
      throw new NativeIsAsync(key);
    }
  }

  /** What `import()` gives for this specifier in an own file, by Node's hooks. */
  importAs(specifier: string, importer: string, options?: ImportCallOptions): Promise<unknown> {
    return this.#options.outside(() => this.#bridge(importer).load(specifier, options));
  }

  async namespaceLater(target: NativeTarget, attributes: Attributes, asked?: AskedBy): Promise<object> {
    const url = urlOf(target);
    if (target.type === "native") {
      this.#options.requests?.requestedLater({ kind: "import", file: target.file, attributes, isStatic: false });
    }
    const load = (): Promise<object> =>
      asked && this.#options.asksHooks()
        ? this.#bridge(asked.importer).load(asked.specifier, attributes ? { with: attributes } : undefined)
        : this.#options.answering(url, url, () => import(url, attributes ? { with: attributes } : undefined));
    const namespace = await this.#options.outside(load);
    this.#arrived(target, keyOf(url, attributes), namespace);
    return namespace;
  }

  /**
   * `require()` of a package or a builtin by an own file. `isStatic`: compiled from an import, before the body runs. `module`:
   * of the file, which is `module.parent` in the package, and has it among its children.
   */
  require(importer: string, target: NativeTarget, { isStatic = false, module }: RequireOptions = {}): unknown {
    const name = target.type === "native" ? target.file : target.name;
    const require = module
      ? (id: string): unknown => Module.prototype.require.call(module, id)
      : this.requireFor(importer);
    const exports: unknown = this.#asked({ kind: "require", target, importer, attributes: null, isStatic }, () =>
      this.#options.linking((): unknown => this.#options.answering(name, urlOf(target), () => require(name))),
    );
    this.#handOver(exports, name);
    return exports;
  }

  /** `require()` in an own file, by functions of Node's that the app has replaced. `target`: what our rules lead to. */
  requireAs(target: Resolution | undefined, require: () => unknown): unknown {
    const exports = this.#options.linking(require);
    if (target?.type === "native") this.#handOver(exports, target.file);
    return exports;
  }

  /** Loads what own modules will ask for. Nobody is given it, and nobody told, before they do. */
  loadAhead({ kind, file, importer = file, attributes }: Omit<AskedPackage, "isStatic">): void {
    if (kind === "require") {
      this.#options.linking((): unknown => this.requireFor(importer)(file));
      return;
    }
    const url = urlOf({ type: "native", file });
    this.#ahead.set(
      keyOf(url, attributes),
      this.#options.outside(() => this.#importSync(url, attributes)),
    );
  }

  /** A module of Node's in the folder of an own file, whose `import()` the hooks of Node's loader see. */
  #bridge(importer: string): ImportingBridge {
    const folder = path.dirname(importer);
    const known = this.#bridges.get(folder);
    if (known) return known;
    const file = path.join(folder, "unreloader imports.mjs");
    const text = "export const load = (specifier, options) => import(specifier, options);";
    const bridge = this.#options.linking(() => evaluateAsNode(file, text)) as ImportingBridge;
    this.#bridges.set(folder, bridge);
    return bridge;
  }

  #asked<Result>(
    { target, ...asked }: Omit<AskedPackage, "file"> & { target: NativeTarget },
    load: () => Result,
  ): Result {
    if (target.type !== "native") return load();
    const { requests, loading } = this.#options;
    if (!requests) return loading(load);
    return requests.requested({ ...asked, file: target.file }, () => loading(load));
  }

  #handOver(exports: unknown, file: string): void {
    const found = packageOf(file);
    this.foreign.add(exports);
    if (found) this.#options.handedOver(exports);
    if (found && !this.#options.adapts(found.name)) this.#options.unknownPackage(exports, found.name);
  }

  #arrived(target: NativeTarget, key: string, namespace: object): void {
    this.#namespaces.set(key, namespace);
    this.#handOver(namespace, target.type === "native" ? target.file : target.name);
    if (target.type === "native") this.#options.loaded(target.file, namespace);
  }

  /**
   * `require()` of an ES module that consists of one re-export: Node then links and evaluates the target synchronously,
   * and hands over the very namespace that `import()` gives, CommonJS interop included. (20.19, 22, 24, 26.)
   */
  #importSync(url: string, attributes: Attributes, asked?: AskedBy): object {
    const folder = asked ? path.dirname(asked.importer) : import.meta.dirname;
    const specifier = asked?.specifier ?? url;
    // Node keeps modules by name: one for each target. No such file exists.
    const file = path.join(folder, `native ${encodeURIComponent(keyOf(specifier, attributes))}.mjs`);
    const suffix = attributes ? ` with ${JSON.stringify(attributes)}` : "";
    const textFor = (name: string) => `export * as namespace from ${JSON.stringify(name)}${suffix};`;
    const { namespace } = this.#options.linking(() =>
      this.#options.answering(specifier, url, (name) => evaluateAsNode(file, textFor(name))),
    ) as { namespace?: object };
    if (!namespace) throw nodeError("ERR_MODULE_NOT_FOUND", `Cannot import ${url}`);
    return namespace;
  }
}

interface RequireOptions {
  readonly isStatic?: boolean;
  readonly module?: Module | undefined;
}

interface ImportingBridge {
  load(specifier: string, options?: ImportCallOptions): Promise<object>;
}

const SYNCHRONOUS_HOOKS = "registerHooks" in Module;

/** Node 22 aborts on other schemes than its own in what is linked synchronously, before it asks hooks for them. */
export function isRefusedByLinking(specifier: string): boolean {
  return NODE_MAJOR < 24 && /^[a-z][a-z0-9+.-]*:/i.test(specifier) && !/^(?:file|node|data):/i.test(specifier);
}

function keyOf(url: string, attributes: Attributes): string {
  return attributes ? `${url} ${JSON.stringify(attributes)}` : url;
}
