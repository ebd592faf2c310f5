/**
 * Packages that load own files (a framework's autoload, entity globs, configuration files) get the module of the
 * registry, not a second copy made by Node. Everything else that Node loads is left to Node.
 */
import { existsSync } from "node:fs";
import Module, { isBuiltin } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Resolution, ResolveKind } from "../../src/common/compile/compiled-module.js";
import { isBelowPackages } from "../../src/common/paths.js";
import { isObject, ownValue } from "../../src/common/untouched.js";
import { nodeError } from "./module-errors.js";
import { bridges, type NamespaceBridge } from "./namespace-bridge.js";
import { urlOf } from "./native-modules.js";
import { rewritePackageImports } from "./package-imports.js";
import { SUPERVISOR } from "./supervisor-code.js";

type OwnFile = Resolution & { readonly type: "file" };

export interface PackageRequestsContext {
  resolve(specifier: string, importer: string, kind: ResolveKind): Resolution;
  /** What a `Module._resolveFilename` that was replaced says; undefined: it was not. */
  resolvedFilename(request: string, parent: Module | undefined): string | undefined;
  /** Where hooks lead what a file requires; absent: nobody is to be asked. Throws what they throw. */
  hooked(request: string, importer: string): Resolution | undefined;
  /** Has Node load `request`, of which hooks have said that it is `url`. */
  answering<Result>(request: string, url: string, run: () => Result): Result;
  /** `requiredBy` is an own file or Node's module, `parent` Node's module for an own file. */
  requireOwn(file: string, requiredBy: string | Module | undefined, parent?: Module): unknown;
  /** Evaluates an own file as far as that is possible synchronously. */
  bridge(target: OwnFile): NamespaceBridge;
  importOwn(target: OwnFile): Promise<object>;
  /** Where a text of a package has `import()`: start offsets. */
  dynamicImports(text: string): readonly number[];
  /** What is not there. */
  sought(request: string, importer: string): void;
  /** Runs the loading of a package: what its top level creates stays with the package. `evaluates`: it may have one to run. */
  outside<Result>(run: () => Result, evaluates: boolean): Result;
}

/** Of Node's loader, what the types (of Node 20) do not know. */
interface Loader {
  readonly _cache: Readonly<Record<string, Module | undefined>>;
  _load(request: unknown, parent: Module | undefined, isMain: boolean): unknown;
  registerHooks?(hooks: {
    resolve(specifier: string, context: ResolveContext, next: NextHook<ResolveContext>): unknown;
    load(url: string, context: unknown, next: NextHook<unknown>): unknown;
  }): { deregister(): void };
}

interface ResolveContext {
  readonly parentURL?: string | undefined;
  readonly conditions: readonly string[];
}

type NextHook<Context> = (target: string, context: Context) => unknown;

const loader = Module as unknown as Loader;
/** Asks the disk, whatever the app puts in the place of functions of `node:fs`. */
const exists = existsSync;

/** Starts listening to Node's module loader; the returned function ends it. */
export function interceptPackageRequests(context: PackageRequestsContext): () => void {
  const undoRequire = interceptRequire(context);
  const undoImport = interceptImport(context);
  return () => {
    undoImport();
    undoRequire();
  };
}

function interceptRequire(context: PackageRequestsContext): () => void {
  const { resolve, resolvedFilename, requireOwn, outside } = context;
  const original = loader._load;
  const ownFileOf = (request: string, parent: Module | undefined): string | undefined => {
    const isOwn = parent?.filename && !isBelowPackages(parent.filename) && !parent.filename.startsWith(SUPERVISOR);
    if (!parent?.filename || !isOwn || isBuiltin(request)) return requestedOwnFile(request, parent?.filename, resolve);
    const file = resolvedFilename(request, parent);
    if (file === undefined) return requestedOwnFile(request, parent.filename, resolve);
    const isOwnFile = path.isAbsolute(file) && !isBelowPackages(file) && !/\.(?:node|wasm)$/.test(file);
    // Functions that were replaced may lead to what is in memory only, or add a query for themselves (tsx).
    return isOwnFile && exists(file) ? file : undefined;
  };
  /** Builtins that have been asked for: a second time they run nothing. As many as there are builtins. */
  const builtins = new Set<string>();
  const evaluates = (request: unknown): boolean => {
    if (typeof request !== "string") return true;
    if (isBuiltin(request)) return !builtins.has(request) && builtins.add(request).has(request);
    // Own code asks for packages by their paths. In a cycle one may be there that is not loaded yet.
    return loader._cache[request]?.loaded !== true;
  };
  const load: Loader["_load"] = (request, parent, isMain) => {
    const byNode = (): unknown => {
      try {
        return outside(() => original.call(Module, request, parent, isMain), evaluates(request));
      } catch (error) {
        if (typeof request === "string" && parent?.filename && isNotFound(error))
          context.sought(request, parent.filename);
        throw error;
      }
    };
    const file = typeof request === "string" ? ownFileOf(request, parent) : undefined;
    if (file === undefined) return byNode();
    const hooked = parent?.filename ? context.hooked(`${request as string}`, parent.filename) : undefined;
    if (hooked && hooked.type !== "file") return context.answering(`${request as string}`, urlOf(hooked), byNode);
    return requireOwn(
      hooked?.file ?? file,
      parent?.filename && !isBelowPackages(parent.filename) ? parent.filename : parent,
      parent,
    );
  };
  loader._load = load;
  return () => {
    if (loader._load === load) loader._load = original;
  };
}

/** The own file that a `require()` of Node's leads to. Most calls are told apart by their text alone. */
function requestedOwnFile(
  request: string,
  importer: string | null | undefined,
  resolve: PackageRequestsContext["resolve"],
): string | undefined {
  if (!importer || importer.startsWith(SUPERVISOR) || isBuiltin(request)) return undefined;
  if (path.isAbsolute(request)) {
    if (isBelowPackages(request)) return undefined;
  } else if (isBelowPackages(importer)) {
    if (!/^\.\.?(?:[\\/]|$)/.test(request)) return undefined;
    if (isBelowPackages(path.resolve(path.dirname(importer), request))) return undefined;
  }
  return ownFile(request, importer, "require", resolve)?.file;
}

function isNotFound(error: unknown): boolean {
  return isObject(error) && ownValue(error, "code") === "MODULE_NOT_FOUND";
}

function ownFile(
  specifier: string,
  importer: string,
  kind: ResolveKind,
  resolve: PackageRequestsContext["resolve"],
): OwnFile | undefined {
  try {
    const found = resolve(specifier, importer, kind);
    return found.type === "file" && !found.file.startsWith(SUPERVISOR) ? found : undefined;
  } catch (error) {
    // Not found by our rules: Node decides, and reports.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function interceptImport({ resolve, bridge, importOwn, dynamicImports }: PackageRequestsContext): () => void {
  if (!loader.registerHooks) {
    return rewritePackageImports({
      dynamicImports,
      importOwn: (specifier, importer) => {
        const text = String(specifier);
        if (!mayBeOwn(text, pathToFileURL(importer).href)) return undefined;
        const target = ownFile(text, importer, "import", resolve);
        return target && importOwn(target);
      },
    });
  }
  const hooks = loader.registerHooks({
    resolve(specifier, hookContext, next) {
      const { parentURL, conditions } = hookContext;
      const importer = parentURL === undefined ? undefined : importerOf(specifier, parentURL);
      if (importer !== undefined && !conditions.includes("require")) {
        const target = importer.startsWith(SUPERVISOR) ? undefined : ownFile(specifier, importer, "import", resolve);
        if (target) return { url: bridges.add(bridge(target)), format: "module", shortCircuit: true };
      }
      return next(specifier, hookContext);
    },
    load(url, hookContext, next) {
      const found = bridges.find(url);
      if (found) return { format: "module", source: found.source, shortCircuit: true };
      if (!url.startsWith("data:")) return next(url, hookContext);
      try {
        return next(url, hookContext);
      } catch (error) {
        throw asWithoutHooks(error, url);
      }
    },
  });
  return () => hooks.deregister();
}

/** The file that imports; of a module that is no file (`data:`), the own file that it names. */
function importerOf(specifier: string, parentUrl: string): string | undefined {
  if (!mayBeOwn(specifier, parentUrl)) return undefined;
  if (parentUrl.startsWith("file:")) return fileURLToPath(parentUrl);
  return specifier.startsWith("file:") && URL.canParse(specifier) ? fileURLToPath(specifier) : undefined;
}

/** Where there are hooks, Node takes a `data:` URL of a type that it cannot evaluate for an answer of theirs. */
function asWithoutHooks(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_INVALID_RETURN_PROPERTY_VALUE")
    return error;
  const [, type = null] = /^data:([^,;]*)/.exec(url) ?? [];
  return nodeError("ERR_UNKNOWN_MODULE_FORMAT", `Unknown module format: ${type} for URL ${url}`, RangeError);
}

function mayBeOwn(specifier: string, parentUrl: string): boolean {
  if (isBuiltin(specifier) || specifier.startsWith("data:")) return false;
  if (specifier.startsWith("file:")) return !specifier.includes("/node_modules/");
  if (path.isAbsolute(specifier)) return !isBelowPackages(specifier);
  if (!parentUrl.includes("/node_modules/")) return true;
  return specifier.startsWith(".") && !new URL(specifier, parentUrl).pathname.includes("/node_modules/");
}
