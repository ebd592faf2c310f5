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

/**
 * The file, or the name of the builtin, to which `request` leads in `importer`. Asks no hooks of the app's, as
 * `require.resolve` does from Node 24 on. Throws as Node does.
 */
export function lookUpAsNode(request: string, importer: string, conditions?: readonly string[]): string {
  const lookup = Module as unknown as Lookup;
  const parent = new Module(importer);
  parent.filename = importer;
  parent.paths = lookup._nodeModulePaths(path.dirname(importer));
  const options = conditions && { conditions: new Set(conditions) };
  return lookup._resolveFilename(request, parent, false, options);
}
