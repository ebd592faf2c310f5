/** Where Node's own `require` finds a file. */
import Module from "node:module";
import path from "node:path";

interface Lookup {
  _nodeModulePaths(folder: string): string[];
  _resolveFilename(
    request: string,
    parent: Module,
    isMain: boolean,
    options?: { readonly conditions?: ReadonlySet<string> },
  ): string;
}

const lookup = Module as unknown as Lookup;

/**
 * The file, or the name of the builtin, to which `request` leads in `importer`. Asks no hooks of the app's, as
 * `require.resolve` does from Node 24 on. Throws as Node does.
 */
export function lookUpAsNode(request: string, importer: string, conditions?: readonly string[]): string {
  const options = conditions && { conditions: new Set(conditions) };
  return lookup._resolveFilename(request, createModule(importer), false, options);
}

/**
 * Node's own object for a CommonJS file: what it requires is looked for from there. It is in no cache. `parent`: who has
 * required it; errors of lookups name all of them.
 */
export function createModule(file: string, parent?: Module): Module {
  const module = new Module(file, parent);
  if (parent?.children.at(-1) === module) parent.children.pop();
  module.filename = file;
  module.paths = lookup._nodeModulePaths(path.dirname(file));
  return module;
}

/** Where Yarn PnP says that an import of a package leads; undefined without it, and for files that are not its business. */
export function lookUpByYarn(request: string, importer: string, conditions: readonly string[]): string | undefined {
  if (!process.versions.pnp) return undefined;
  const { findPnpApi } = Module as unknown as { findPnpApi?(file: string): YarnPnp | null };
  const api = findPnpApi?.(importer);
  // The main file of a package may be told without its extension.
  const isWhole = /^(?:@[^/]+\/)?[^/]+$/.test(request);
  const options = { conditions: new Set(conditions), ...(isWhole ? {} : { extensions: [] }) };
  return api?.resolveRequest(request, importer, options) ?? undefined;
}

interface YarnPnp {
  /** Throws when the package is not a dependency. */
  resolveRequest(
    request: string,
    issuer: string,
    options: { readonly conditions: ReadonlySet<string>; readonly extensions?: readonly string[] },
  ): string | null;
}
