/** Threads and processes that the app starts get the loader, too, where their file is TypeScript. */
import { createRequire } from "node:module";
import type * as wrapStartsModule from "../common/started/wrap-starts.js";

/** Until the returned function is called. */
export function passLoaderOn(root: string): () => void {
  // By its path, as workers/started-files.ts has it: it stays a file of its own in the bundle.
  const require = createRequire(import.meta.url);
  const { wrapStarts } = require("../common/started/wrap-starts.js") as typeof wrapStartsModule;
  return wrapStarts({ root, starts: () => {}, leadsToCompiled: () => false, poolsNeedLoader: true });
}
