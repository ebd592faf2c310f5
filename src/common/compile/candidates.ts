/** Which files a path in a specifier may mean, in the order in which they are looked for. Pure, and without the resolver library. */
import path from "node:path";

/**
 * How a request is looked up. `exact`: an import as Node does it, the whole file name. `node`: `.js` before `.ts`, as
 * `require` and packages want. `typescript`: `.ts` before `.js`, also when the specifier says `.js`.
 */
export type Lookup = "exact" | "node" | "typescript";

interface Names {
  readonly extensions: string[];
  readonly extensionAlias: Record<string, string[]>;
}

export const TYPESCRIPT_FIRST: Names = {
  extensions: [".ts", ".tsx", ".js", ".jsx", ".json", ".node"],
  extensionAlias: {
    ".js": [".ts", ".tsx", ".js", ".jsx"],
    ".jsx": [".tsx", ".jsx"],
    ".mjs": [".mts", ".mjs"],
    ".cjs": [".cts", ".cjs"],
  },
};
export const JAVASCRIPT_FIRST: Names = {
  extensions: [".js", ".json", ".node", ".ts", ".tsx", ".jsx"],
  extensionAlias: {
    ".js": [".js", ".ts", ".tsx", ".jsx"],
    ".jsx": [".jsx", ".tsx"],
    ".mjs": [".mjs", ".mts"],
    ".cjs": [".cjs", ".cts"],
  },
};

/** What would be taken for `target`, an absolute path. */
export function filesOf(target: string, lookup: Lookup): string[] {
  if (lookup === "exact") return [target];
  const { extensions, extensionAlias } = lookup === "node" ? JAVASCRIPT_FIRST : TYPESCRIPT_FIRST;
  const extension = path.extname(target);
  const others = extensionAlias[extension] ?? [];
  return [
    target,
    ...others.map((other) => target.slice(0, -extension.length) + other),
    ...extensions.map((added) => target + added),
    path.join(target, "package.json"),
    ...extensions.map((added) => path.join(target, `index${added}`)),
  ];
}
