/** What is used of `node:module` beyond its published interface. Node 20, 22, 24 and 26. */
import Module from "node:module";

interface NodeModuleInternals {
  _cache: NodeJS.Dict<NodeJS.Module>;
  readonly _extensions: object;
  _nodeModulePaths(folder: string): string[];
}

export const moduleInternals = Module as unknown as NodeModuleInternals;
