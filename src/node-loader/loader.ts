/**
 * Teaches Node's own loader the app's TypeScript. Node evaluates: imports are its live bindings, so requests pay nothing.
 * Through our own runtime every read of an import is a call, and every module is kept as text as well.
 */
import Module from "node:module";
import type { HooksThreadInput } from "./hooks-thread.js";
import { type ImportContext, OwnFiles, type OwnFilesOptions, urlOf, withJsonType } from "./own-files.js";

/** What `@types/node` 20 lacks. */
interface ResolveContext extends ImportContext {
  readonly conditions: readonly string[];
}
type Resolved = { url: string; format?: string | null | undefined; shortCircuit?: boolean };
type Loaded = { format: string; source?: string; shortCircuit?: boolean };
interface LoaderInternals {
  registerHooks?(hooks: {
    resolve(
      specifier: string,
      context: ResolveContext,
      next: (specifier: string, context: ResolveContext) => Resolved,
    ): Resolved;
    load(url: string, context: object, next: (url: string, context: object) => Loaded): Loaded;
  }): { deregister(): void };
  register(specifier: string, options: { parentURL: string; data: HooksThreadInput }): void;
  _resolveFilename(request: string, parent: { filename?: string | null } | undefined, ...rest: unknown[]): string;
  _load(file: string, parent: null, isMain: boolean): unknown;
  runMain(file: string): void;
  _extensions: Record<string, ((module: CompilingModule, file: string) => void) | undefined>;
}
interface CompilingModule {
  _compile(text: string, file: string, format?: string): unknown;
}

const loader = Module as unknown as LoaderInternals;
const EXTENSIONS = [".ts", ".cts", ".mts", ".tsx", ".jsx"];

export interface InstalledLoader {
  /** Whether Node evaluates the file as an ES module or as CommonJS. */
  formatOf(file: string): "module" | "commonjs";
  /** What was compiled ahead is not needed any longer. */
  appLoaded(): void;
  uninstall(): void;
}

/** For the rest of the process where Node cannot take hooks back (before 22.15). */
export function installLoader(options: OwnFilesOptions): InstalledLoader {
  const own = new OwnFiles(options);
  const undoRequire = installRequire(own, loader.registerHooks === undefined);
  const undoImport = loader.registerHooks ? installHooks(own) : registerThread(options);
  return {
    formatOf: (file) => own.text(file).format,
    appLoaded: () => own.appLoaded(),
    uninstall: () => {
      undoImport();
      undoRequire();
    },
  };
}

function installHooks(own: OwnFiles): () => void {
  const hooks = loader.registerHooks?.({
    resolve(specifier, context, next) {
      const importer = own.importer(specifier, context.parentURL);
      if (importer === undefined) return next(specifier, context);
      const kind = context.conditions.includes("require") ? "require" : "import";
      const isCompiled = own.compiledFile(context.parentURL) !== undefined;
      const resolved = preferring(
        isCompiled,
        () => found(own.find(specifier, importer, kind)),
        () => next(specifier, context),
      );
      return isCompiled && kind === "import" ? withJsonType(resolved, context) : resolved;
    },
    load(url, context, next) {
      const file = own.compiledFile(url);
      if (file === undefined) return next(url, context);
      return { format: "module", source: own.importedText(file), shortCircuit: true };
    },
  });
  return () => hooks?.deregister();
}

/** `require()`: what Node has for it is the same in every version. */
function installRequire(own: OwnFiles, resolves: boolean): () => void {
  const before = EXTENSIONS.map((extension) => [extension, loader._extensions[extension]] as const);
  for (const extension of EXTENSIONS) {
    loader._extensions[extension] = (module, file) => {
      const { format, text } = own.text(file);
      module._compile(text, file, format);
    };
  }
  const original = loader._resolveFilename;
  if (resolves) {
    loader._resolveFilename = (request, parent, ...rest) => {
      const importer = parent?.filename ? own.ownFile(urlOf(parent.filename)) : undefined;
      const asNode = (): string => original.call(Module, request, parent, ...rest);
      if (importer === undefined) return asNode();
      const isCompiled = own.compiledFile(urlOf(importer)) !== undefined;
      return preferring(isCompiled, () => own.find(request, importer, "require"), asNode);
    };
  }
  return () => {
    loader._resolveFilename = original;
    for (const [extension, load] of before) {
      if (load) loader._extensions[extension] = load;
      else delete loader._extensions[extension];
    }
  };
}

/** Node 20 runs hooks for `import` in a thread of its own; it sleeps when nothing is loaded. */
function registerThread(options: OwnFilesOptions): () => void {
  loader.register("./hooks-thread.js", { parentURL: import.meta.url, data: { ...options } });
  return () => {};
}

/** TypeScript's rules come first for what TypeScript wrote; for JavaScript Node's do. */
function preferring<T>(ours: boolean, find: () => T | undefined, asNode: () => T): T {
  if (ours) return find() ?? asNode();
  try {
    return asNode();
  } catch (error) {
    const other = find();
    if (other === undefined) throw error;
    return other;
  }
}

function found(file: string | undefined): Resolved | undefined {
  return file === undefined ? undefined : { url: urlOf(file), shortCircuit: true };
}

/** Evaluates a CommonJS file as `node file` does. */
export function runCommonJs(file: string): void {
  loader._load(file, null, true);
}

/** Lets Node decide what the file is, and evaluate it as `node file` does. A failing ES module ends the process, as there. */
export function runAsMain(file: string): void {
  loader.runMain(file);
}
