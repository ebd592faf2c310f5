/**
 * What the app has changed of Node's own loader: hooks (`module.registerHooks`, `module.register`), the table of extensions,
 * functions of `Module` that were replaced. Own files follow them as they do under Node. An app that changes nothing pays
 * for nothing.
 */
import { readFileSync } from "node:fs";
import Module, { isBuiltin, syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Resolution, ResolveKind } from "../../src/common/compile/compiled-module.js";
import { isCompiled, isImportable } from "../../src/common/compile/file-kind.js";
import {
  altered,
  type LastStep,
  type Loaded,
  LoaderHooks,
  type LoaderHooksOptions,
  resolutionOf,
} from "./loader-hooks.js";
import { evaluateAsNode } from "./module-internals.js";
import { type Attributes, urlOf } from "./native-modules.js";
import type { ExtensionHandler, Hooks, LoadedText, Loader } from "./node-loader-types.js";

const loader = Module as unknown as Loader;

type LoadedModule = Module & { load(file: string): void };

export interface LoaderChangesOptions extends LoaderHooksOptions {
  /** Where our rules lead. Throws a ResolveError. */
  readonly resolve: LastStep;
  /** Node has hooks in its other thread from the start. */
  readonly hasLoader: boolean;
  /** Own files are about to be loaded in another way. */
  changed(): void;
  /** Notes how hooks that own code has registered are taken back. */
  registered(undo: () => void): void;
}

export class LoaderChanges {
  readonly #options: LoaderChangesOptions;
  /** Those of `registerHooks`. */
  readonly #hooks: LoaderHooks;
  /** `module.register` was called, or Node has such hooks from the start. */
  #registered: boolean;
  /** Node's own functions; undefined when nothing is installed. */
  #native:
    | (Record<"load" | "require" | "compile" | "loadModule", unknown> &
        Pick<Loader, "registerHooks"> & { readonly lookup: readonly unknown[] })
    | undefined;
  #extensions = new Map<string, ExtensionHandler | undefined>();
  /** Files that were loaded by our own code, and whose evaluation has put something else in its place: so it is at a start. */
  readonly #changers = new Set<string>();
  /** How many hooks were registered so far. */
  #hooksEver = 0;
  /** What `changedSince` has found. */
  #seen: readonly unknown[] = [];
  /** How often Node was asked for a text. */
  #questions = 0;
  /** Folder to what `import.meta.resolve` is there. */
  readonly #resolves = new Map<string, (specifier: string) => string>();

  constructor(options: LoaderChangesOptions) {
    this.#options = options;
    this.#hooks = new LoaderHooks(options);
    this.#registered = options.hasLoader;
  }

  /** Takes what Node's loader is now for unchanged; the returned function ends it. */
  install(): () => void {
    const { prototype } = loader;
    const { _load: load, register, registerHooks } = loader;
    const { require, _compile: compile, load: loadModule } = prototype;
    this.#native = { load, lookup: lookupFunctions(), require, compile, loadModule, registerHooks };
    this.#extensions = new Map(Object.entries(loader._extensions));
    this.changedSince();
    loader.register = describedAs(register, (...args) => {
      this.#options.changed();
      const result = register.apply(Module, args);
      this.#registered = true;
      this.#hooksEver++;
      return result;
    });
    if (registerHooks) {
      loader.registerHooks = describedAs(registerHooks, (hooks) => this.#register(hooks, registerHooks));
    }
    syncBuiltinESMExports();
    return () => {
      this.#native = undefined;
      loader.register = register;
      if (registerHooks) loader.registerHooks = registerHooks;
      syncBuiltinESMExports();
    };
  }

  /** Whether anything has been changed, or taken back, since this was asked last. */
  changedSince(): boolean {
    if (!this.#native) return false;
    const { _load, _extensions, prototype } = loader;
    const { require, _compile, load } = prototype;
    const functions = [_load, ...lookupFunctions(), require, _compile, load];
    const now = [...functions, this.#hooksEver, ...Object.values(_extensions)];
    const before = this.#seen;
    this.#seen = now;
    return now.length !== before.length || now.some((one, index) => one !== before[index]);
  }

  /** Whether `import` may lead elsewhere than our rules say. */
  get hasHooks(): boolean {
    return this.#registered || this.#hooks.hasAny;
  }

  /** Whether hooks of Node's other thread may have a say. Only Node can ask them. */
  get isRegistered(): boolean {
    return this.#registered;
  }

  /** Whether `require` has to ask hooks where it leads. */
  get hooksRequire(): boolean {
    return this.#hooks.hasAny;
  }

  /** Whether `require` has to go through the functions of `Module`. */
  get changesRequire(): boolean {
    if (!this.#native) return false;
    return (
      loader._load !== this.#native.load || this.#changesLookup || loader.prototype.require !== this.#native.require
    );
  }

  /** Where a changed `Module._resolveFilename` leads, or what Node's own calls. */
  resolvedFilename(request: string, parent: Module | undefined): string | undefined {
    return this.#changesLookup ? loader._resolveFilename(request, parent, false) : undefined;
  }

  /** Whether the app has taken away the extension without which a file was named. */
  lacksExtension(specifier: string, file: string): boolean {
    const [named, name] = [path.basename(specifier), path.basename(file)];
    const left = name.startsWith(named) ? name.slice(named.length) : "";
    return left.startsWith(".") && !isCompiled(file) && loader._extensions[left] === undefined;
  }

  get #changesLookup(): boolean {
    const { lookup } = this.#native ?? {};
    return lookup !== undefined && lookupFunctions().some((found, index) => found !== lookup[index]);
  }

  /** What loads a CommonJS file in place of our own code; undefined: nothing does. */
  handlerOf(file: string): ExtensionHandler | undefined {
    if (!this.#native || isCompiled(file) || this.#changers.has(file)) return undefined;
    if (loader.prototype.load !== this.#native.loadModule) return loadByModule;
    const extension = registeredExtension(file);
    const handler = loader._extensions[extension];
    const isChanged = handler !== this.#extensions.get(extension) || (extension === ".js" && this.changesCompile);
    return isChanged ? handler : undefined;
  }

  /** Runs the evaluation of a file that our own code loads. */
  byOwnCode(file: string, evaluate: () => void): void {
    try {
      evaluate();
    } finally {
      if (this.handlerOf(file) !== undefined) this.#changers.add(file);
    }
  }

  /** Whether what loads the file decides what its text is: neither its name nor its package says that it is an ES module. */
  handlerDecides(file: string): boolean {
    if (this.handlerOf(file) === undefined) return false;
    const format = this.#options.formatOf(file);
    return format === undefined || format === "commonjs";
  }

  /** Whether `Module.prototype._compile` was replaced. */
  get changesCompile(): boolean {
    return this.#native !== undefined && loader.prototype._compile !== this.#native.compile;
  }

  /** Where a specifier leads with the hooks there are. Throws what they throw, or a ResolveError. */
  resolve(specifier: string, importer: string, kind: ResolveKind, attributes: Attributes = null): Resolution {
    if (!this.hasHooks) return this.#options.resolve(specifier, importer, kind);
    const byRules: LastStep = (...asked) => this.#resolveByRules(...asked);
    if (this.#hooks.hasAny) return this.#hooks.resolved(specifier, importer, kind, attributes, byRules);
    return byRules(specifier, importer, kind);
  }

  /** The text of an own file as the hooks give it; undefined: they leave it as it is. */
  load(module: Loaded): { readonly source: string; readonly format: string | undefined } | undefined {
    if (this.#registered && loader.registerHooks) return this.#loadByNode(module);
    return this.#hooks.hasLoad ? this.#hooks.loaded(module) : undefined;
  }

  /** Runs work of the supervisor's own. */
  withoutHooks<Result>(run: () => Result): Result {
    return this.#hooks.without(run);
  }

  /** Has Node load `specifier`, of which hooks have said that it is `url`. */
  answering<Result>(specifier: string, url: string, run: (specifier: string) => Result): Result {
    return this.#hooks.answering(specifier, url, run, this.#hooks.hasAny && !this.#registered);
  }

  /** Node asks all hooks, those in its other thread too. TypeScript that it cannot load is ours. */
  #loadByNode({ file, url }: Loaded): { readonly source: string; readonly format: string | undefined } | undefined {
    const format = this.#options.formatOf(file);
    // With a scheme that Node 22 lets pass.
    const question = `data:text/javascript,unreloader-ask-${++this.#questions}`;
    let loaded: LoadedText | undefined;
    const asking = this.#native?.registerHooks?.call(Module, {
      resolve: (specifier, _, next) =>
        specifier === question ? { url: question, format: "module" as const, shortCircuit: true } : next(specifier),
      load: (asked, context, next) => {
        if (asked !== question) return next(asked, context);
        // Without it, Node refuses what is no module.
        const importAttributes = format === "json" ? { type: "json" } : {};
        loaded = next(url, { ...context, format, importAttributes });
        return { format: "module" as const, source: "", shortCircuit: true };
      },
    });
    try {
      const asks = path.join(import.meta.dirname, `asks ${this.#questions}.mjs`);
      evaluateAsNode(asks, `import ${JSON.stringify(question)};`);
    } catch (error) {
      if (isCompiled(file) && isUnknownExtension(error)) return undefined;
      throw error;
    } finally {
      asking?.deregister();
    }
    return loaded && altered(loaded, readFileSync(file, "utf8"), format);
  }

  #register(hooks: Hooks, registerHooks: NonNullable<Loader["registerHooks"]>): { deregister(): void } {
    this.#options.changed();
    const handle = registerHooks.call(Module, this.#hooks.forNode(hooks));
    const remove = this.#hooks.add(hooks);
    this.#hooksEver++;
    const deregister = (): void => {
      remove();
      handle.deregister();
    };
    this.#options.registered(deregister);
    // Node's own is frozen.
    return Object.create(handle, { deregister: { value: deregister } }) as { deregister(): void };
  }

  /** What our rules do not find, hooks in Node's other thread may. */
  #resolveByRules(specifier: string, importer: string, kind: ResolveKind, conditions?: readonly string[]): Resolution {
    // Node is asked for it by this specifier, and asks the hooks of its other thread itself.
    if (isBuiltin(specifier)) return this.#options.resolve(specifier, importer, kind);
    try {
      const ours = this.#options.resolve(specifier, importer, kind, conditions);
      if (kind === "require" || !this.#registered || ours.type !== "file") return ours;
      return this.#redirected(ours, specifier, importer);
    } catch (error) {
      if (kind === "require") throw error;
      // What a hook of this thread loads may have any extension.
      if (this.#hooks.hasLoad && /^\.{0,2}\//.test(specifier) && isUnknownExtension(error))
        return { type: "file", file: path.resolve(path.dirname(importer), specifier) };
      if (!this.#registered) throw error;
      return this.#resolveByNode(specifier, importer, error);
    }
  }

  /** Hooks in Node's other thread may lead elsewhere. A query that they add is theirs: import-in-the-middle marks all with one. */
  #redirected(ours: Resolution & { type: "file" }, specifier: string, importer: string): Resolution {
    const node = this.#resolveByNode(specifier, importer, undefined);
    if (node === undefined) return ours;
    const url = urlOf(node);
    const [own] = url.split(/[?#]/, 1);
    const plain = /^\.{0,2}\//.test(specifier) ? new URL(specifier, pathToFileURL(importer)).href : undefined;
    const isOurs = own === pathToFileURL(ours.file).href || url === plain;
    return isOurs ? ours : node;
  }

  /** Throws `error` when it leads nowhere; undefined: gives nothing then. */
  #resolveByNode<Failure>(
    specifier: string,
    importer: string,
    error: Failure,
  ): Resolution | (Failure extends undefined ? undefined : never) {
    const folder = path.dirname(importer);
    let resolve = this.#resolves.get(folder);
    if (!resolve) {
      const file = path.join(folder, "unreloader resolves.mjs");
      const bridge = evaluateAsNode(file, "export const { resolve } = import.meta;");
      ({ resolve } = bridge as { resolve: (specifier: string) => string });
      this.#resolves.set(folder, resolve);
    }
    try {
      const url = resolve(specifier);
      const target = resolutionOf(url);
      // What has another extension only Node can load.
      const isOurs = target.type !== "file" || loader.registerHooks !== undefined || isImportable(target.file);
      return isOurs ? target : { type: "builtin", name: url };
    } catch {
      if (error !== undefined) throw error;
      return undefined as Failure extends undefined ? undefined : never;
    }
  }
}

function isUnknownExtension(error: unknown): boolean {
  const code = error instanceof Error && ("nodeCode" in error ? error.nodeCode : "code" in error && error.code);
  return code === "ERR_UNKNOWN_FILE_EXTENSION";
}

/** What finds the file of a `require`. */
function lookupFunctions(): unknown[] {
  const { _resolveFilename, _findPath, _nodeModulePaths, _resolveLookupPaths } = loader;
  return [_resolveFilename, _findPath, _nodeModulePaths, _resolveLookupPaths];
}

/** Node's own, below what the app has put in its place, asks the table of extensions. */
const loadByModule: ExtensionHandler = (module, file) => (module as LoadedModule).load(file);

/** The longest registered extension that the name ends in, as Node looks for it. */
function registeredExtension(file: string): string {
  const name = path.basename(file);
  for (let at = name.indexOf(".", 1); at > 0; at = name.indexOf(".", at + 1)) {
    const extension = name.slice(at);
    if (loader._extensions[extension]) return extension;
  }
  return ".js";
}

/** With the name and the length of Node's own. */
export function describedAs<Own extends object>(native: object, own: Own): Own {
  return Object.defineProperties(own, Object.getOwnPropertyDescriptors(native));
}
