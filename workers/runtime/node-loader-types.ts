/** Of Node's loader, what the types of Node 20 do not know: hooks, and what may be replaced in `Module`. */
import type Module from "node:module";

export type ExtensionHandler = (module: Module, file: string) => unknown;

export interface ResolveContext {
  readonly conditions: readonly string[];
  readonly importAttributes: Readonly<Record<string, string>> | undefined;
  readonly parentURL: string | undefined;
}
export interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly importAttributes?: Readonly<Record<string, string>> | undefined;
  readonly shortCircuit?: unknown;
}
export interface LoadContext {
  readonly conditions: readonly string[];
  readonly format: string | null | undefined;
  readonly importAttributes: Readonly<Record<string, string>> | undefined;
}
export interface LoadedText {
  readonly format?: string | null | undefined;
  readonly source?: string | ArrayBuffer | NodeJS.TypedArray | null | undefined;
  readonly responseURL?: string | undefined;
  readonly shortCircuit?: unknown;
}
export interface Hooks {
  readonly resolve?: (
    specifier: string,
    context: ResolveContext,
    next: (specifier: string, context?: Partial<ResolveContext>) => Resolved,
  ) => Resolved;
  readonly load?: (
    url: string,
    context: LoadContext,
    next: (url: string, context?: Partial<LoadContext>) => LoadedText,
  ) => LoadedText;
}

/** Of Node's loader, what the types (of Node 20) do not know. */
export interface Loader {
  _load: unknown;
  _resolveFilename(request: string, parent: Module | undefined, isMain: boolean): string;
  _findPath: unknown;
  _nodeModulePaths: unknown;
  _resolveLookupPaths: unknown;
  _extensions: Record<string, ExtensionHandler | undefined>;
  prototype: { require: unknown; _compile: unknown; load: unknown };
  register: (...args: unknown[]) => unknown;
  registerHooks?: ((hooks: Hooks) => { deregister(): void }) | undefined;
}
