/**
 * Where a thread or a process of the app's begins whose file is TypeScript, or may come to some: the root and the file are its
 * first arguments. From here on it is as if Node had begun with that file, with the loader of `--no-reload`.
 */
import type { Cluster } from "node:cluster";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";
import { isCompiled, isImportable } from "../common/compile/file-kind.js";
import { NODE_MAJOR } from "../common/node-version.js";
import { NO_LOADER, scriptFile } from "../common/started/script-file.js";
import { importConditions } from "../thread/node-flags.js";
import { serveForPrimary } from "./cluster-worker.js";
import { installLoader, runAsMain, runCommonJs } from "./loader.js";
import { passLoaderOn } from "./pass-on.js";

/** From here on an ES module that Node runs as its main file knows so by `import.meta.main`. */
const KNOWS_MAIN = NODE_MAJOR >= 22;

const [, , root = "", script = "", ...args] = process.argv;
const named = path.resolve(script);
const file = scriptFile(named) ?? named;
process.argv = [process.execPath, named, ...args];

const loader = root === NO_LOADER ? undefined : installLoader({ root, conditions: importConditions() });
if (loader) {
  process.setSourceMapsEnabled(true);
  passLoaderOn(root);
}
if (isMainThread && process.connected) {
  const cluster = process.getBuiltinModule("node:cluster") as unknown as Cluster;
  if (cluster.isWorker) serveForPrimary(cluster);
}

if (loader === undefined || !isCompiled(file)) runAsMain(file);
else if (loader.formatOf(file) === "commonjs") runCommonJs(file);
else if (KNOWS_MAIN) runAsMain(file);
else if (isImportable(file)) await import(pathToFileURL(file).href);
