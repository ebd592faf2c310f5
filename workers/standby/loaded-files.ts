/** The files that a thread has loaded below node_modules, and what else decides what would be loaded in their place. */
import { Session } from "node:inspector";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { moduleInternals } from "../runtime/module-internals.js";
import { packageFolder } from "./package-reach.js";

interface ParsedScript {
  readonly params: { readonly url: string };
}

/**
 * Files of packages, the manifest of each, and the folders where a package that is installed later would be found first.
 * ES modules can be asked for nowhere: the debugger's protocol lists them as scripts (20.19 to 26). 5 ms for 1000 files.
 */
export function loadedPackageFiles(supervisor: string): string[] {
  const files = new Set<string>();
  const found = [...scriptFiles(), ...Object.keys(moduleInternals._cache)];
  for (const file of found) {
    const folder = packageFolder(file);
    if (folder === undefined || file.startsWith(supervisor)) continue;
    files.add(file);
    files.add(path.join(folder, "package.json"));
    files.add(path.join(folder, "node_modules"));
    // Of a scoped package, two folders up.
    files.add(folder.slice(0, folder.lastIndexOf("node_modules") + "node_modules".length));
  }
  return [...files];
}

function scriptFiles(): string[] {
  const files: string[] = [];
  const session = new Session();
  session.connect();
  session.on("Debugger.scriptParsed", (message: ParsedScript) => {
    const { url } = message.params;
    if (url.startsWith("file:") && url.includes("/node_modules/")) files.push(fileURLToPath(url));
  });
  session.post("Debugger.enable");
  session.post("Debugger.disable");
  session.disconnect();
  return files;
}
