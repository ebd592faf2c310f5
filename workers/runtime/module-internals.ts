/** What is used of `node:module` beyond its published interface. Node 20, 22, 24 and 26. */
import Module from "node:module";

interface NodeModuleInternals {
  _cache: NodeJS.Dict<NodeJS.Module>;
  readonly _extensions: object;
  /** Request and folders, with NUL between them, to the file. */
  readonly _pathCache: Record<string, string>;
  _resolveFilename(request: string, parent: NodeJS.Module | undefined, isMain: boolean): string;
}

export const moduleInternals = Module as unknown as NodeModuleInternals;

/** Has Node evaluate `text` as an ES module, at once, as if it stood in `file`; gives its namespace. */
export function evaluateAsNode(file: string, text: string): object {
  const module = new Module(file) as Module & { _compile(text: string, file: string, format: "module"): void };
  module.filename = file;
  module._compile(text, file, "module");
  return module.exports as object;
}
