/** Whether two texts of a file are the same code: comments, blank space and types say nothing to what runs. */
import path from "node:path";
import { type Loader, transformSync } from "esbuild";

const LOADERS: Readonly<Record<string, Loader>> = {
  ".js": "jsx",
  ".cjs": "js",
  ".mjs": "js",
  ".jsx": "jsx",
  ".ts": "ts",
  ".cts": "ts",
  ".mts": "ts",
  ".tsx": "tsx",
};

/** False when it cannot be told: types that decorators hand on (`emitDecoratorMetadata`) are code. */
export function isSameCode(file: string, before: string, after: string): boolean {
  const loader = LOADERS[path.extname(file)];
  if (loader === undefined || [before, after].some((text) => /^\s*@\w/m.test(text))) return false;
  try {
    return bare(before, loader) === bare(after, loader);
  } catch {
    // One of them does not compile.
    return false;
  }
}

function bare(text: string, loader: Loader): string {
  return transformSync(text, { loader, minifyWhitespace: true, legalComments: "none", logLevel: "silent" }).code;
}
